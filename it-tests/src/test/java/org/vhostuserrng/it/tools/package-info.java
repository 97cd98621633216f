/** The commands beside the daemon, and the README. */
package org.vhostuserrng.it.tools;
