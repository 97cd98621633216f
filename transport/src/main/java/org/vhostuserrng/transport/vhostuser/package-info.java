/** The options of the vhost-user server, as the daemon's command line sets them. */
package org.vhostuserrng.transport.vhostuser;
