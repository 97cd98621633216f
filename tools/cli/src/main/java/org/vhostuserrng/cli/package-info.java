/** Placeholder. */
package org.vhostuserrng.cli;
