/** Unit tests of the parsers and reports of {@code bench-suite}; it-tests run the measurements. */
package org.vhostuserrng.cli.benchsuite;
