/** The commands other than the daemon, and the README. */
package org.vhostuserrng.it.tools;
