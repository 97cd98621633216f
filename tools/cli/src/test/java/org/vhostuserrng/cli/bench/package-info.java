/** Unit tests of {@code bench}, with a fake device. */
package org.vhostuserrng.cli.bench;
