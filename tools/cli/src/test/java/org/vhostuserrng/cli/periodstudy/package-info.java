/** Unit tests of the output of {@code period-study}; the measurement itself is run by hand. */
package org.vhostuserrng.cli.periodstudy;
