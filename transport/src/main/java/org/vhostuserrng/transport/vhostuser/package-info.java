/**
 * The vhost-user server: sockets that front-ends connect to, each joined to a device, all served by one loop.
 *
 * <p>To close what a front-end sent may take any time, for ever if it is a file of a FUSE file system of the front-end's
 * own. That is the affair of further threads and of this front-end alone, which waits itself while it lasts. Two limits:
 * <ul>
 *   <li>Whether a process ends while one of its threads waits for a FUSE file system is the kernel's affair: Linux 6.18
 *       has it end, others may not before that file system answers or is gone.
 *   <li>Descriptors that a security module keeps from this process, or that come when it has as many as it may have, the
 *       kernel closes before anybody sees them, while the loop waits: 10 ms for sockets, 150 ms for a GiB of memory of
 *       which nobody else has a use. It asks no file system for that.
 * </ul>
 */
package org.vhostuserrng.transport.vhostuser;
