/** Unit tests of the output of {@code period-study}; the measurement must be run manually. */
package org.vhostuserrng.cli.periodstudy;
