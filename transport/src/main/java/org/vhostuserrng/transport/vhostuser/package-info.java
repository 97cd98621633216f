/** The options of the vhost-user server, which the operator sets on the daemon's command line. */
package org.vhostuserrng.transport.vhostuser;
