/** {@code bench}: one guest that asks one back-end for as much as it gives. */
package org.vhostuserrng.cli.bench;
