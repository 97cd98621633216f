/** Tests of the commands other than the daemon, and of the READMEs. */
package org.vhostuserrng.it.tools;
