/** Unit tests of {@code check-source}: estimates and statistics of known distributions. */
package org.vhostuserrng.cli.checksource;
