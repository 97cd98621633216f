/**
 * The vhost-user server: sockets that front-ends connect to, each joined to a device, all served by one loop.
 */
package org.vhostuserrng.transport.server;
