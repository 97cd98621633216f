/** Unit tests of {@code top}. */
package org.vhostuserrng.cli.top;
