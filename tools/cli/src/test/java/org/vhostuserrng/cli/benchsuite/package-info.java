/** Unit tests of the parsers and reports of {@code bench-suite}. The module it-tests runs the measurements. */
package org.vhostuserrng.cli.benchsuite;
