/** The options of the vhost-user server, as set by the daemon's command line. */
package org.vhostuserrng.transport.vhostuser;
