/** Unit tests of the reader of counters files. */
package org.vhostuserrng.cli.counters;
