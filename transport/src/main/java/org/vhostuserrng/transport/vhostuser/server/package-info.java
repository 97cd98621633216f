/**
 * The vhost-user server: listens or connects, and serves each guest with its device, all on one event loop.
 *
 * <p>A system call on a file that a front-end sent may block: forever if the file is in the front-end's own FUSE file
 * system, or if the front-end holds a lock of the file. Separate threads make such calls
 * ({@link org.vhostuserrng.transport.sys.PeerFileExecutor}), so that only this front-end waits. Limits:
 * <ul>
 *   <li>Whether a process can exit while one of its threads waits for a FUSE file system depends on the kernel. It can
 *       on Linux 6.18; on others, the exit may wait until the file system responds or is unmounted.
 *   <li>In recvmsg(2), the kernel itself closes descriptors that a security module denies to this process, or that
 *       exceed its descriptor limit. The loop waits meanwhile: 10 ms for sockets, 150 ms per GiB of memory that nobody
 *       else uses. This does not involve a FUSE file system.
 * </ul>
 */
package org.vhostuserrng.transport.vhostuser.server;
