/**
 * The vhost-user server: listens or connects, and serves each front-end with its device, all on one event loop.
 *
 * <p>A call on a file that a front-end sent may block, forever if it is a file of the front-end's own FUSE file system,
 * or if the front-end holds a lock of it. Separate threads make such calls
 * ({@link org.vhostuserrng.transport.sys.PeerFileExecutor}), and only that front-end waits. Limits:
 * <ul>
 *   <li>Whether a process can exit while one of its threads waits for a FUSE file system depends on the kernel. Linux
 *       6.18 lets it exit; others may wait until the file system answers or is gone.
 *   <li>The kernel itself closes descriptors that a security module denies to this process, or that exceed its
 *       descriptor limit, while the loop waits: 10 ms for sockets, 150 ms per GiB of otherwise unused memory. It does
 *       not ask a file system for that.
 * </ul>
 */
package org.vhostuserrng.transport.vhostuser.server;
