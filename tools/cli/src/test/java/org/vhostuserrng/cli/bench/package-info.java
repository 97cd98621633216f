/** The measured loop against a device that the test plays itself. */
package org.vhostuserrng.cli.bench;
