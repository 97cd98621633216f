/**
 * The vhost-user server: sockets that front-ends connect to, each joined to a device, all served by one loop.
 *
 * <p>A limit: to close the descriptor of a file waits for the file system that it is in. A front-end that can mount one of
 * its own (FUSE), and has it not answer, can stop the loop with any message that carries such a descriptor.
 */
package org.vhostuserrng.transport.server;
