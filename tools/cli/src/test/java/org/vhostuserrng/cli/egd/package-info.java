/** The EGD server: its parts without sockets, and the whole with clients of the test's own. */
package org.vhostuserrng.cli.egd;
