/** Unit tests of {@code trace}, with fake front-ends and back-ends. */
package org.vhostuserrng.cli.trace;
