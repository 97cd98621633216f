/** System calls of the command line. */
package org.vhostuserrng.daemon.sys;
