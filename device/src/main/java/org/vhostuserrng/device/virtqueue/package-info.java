/**
 * The virtio entropy device (VIRTIO 1.3 §5.4) and its virtqueue (§2.6), split (§2.7) or packed (§2.8).
 *
 * <p>A guest's driver is not trusted: every index, address and length is read once and checked where it is used. What
 * is wrong is a {@link org.vhostuserrng.device.virtqueue.VirtqueueFault}, never an exception. Everything is confined to the event
 * loop's thread; towards the guest, indices are read plainly and followed by an acquire fence, and published plainly
 * after a release fence, since guest memory may vanish and the JVM survives that for plain accesses only.
 *
 * <p>Which requests are under way can be recorded in memory that outlives the process, in the form that the vhost-user
 * document gives it ("Inflight I/O tracking"), so that back-ends of others can go on with it.
 */
package org.vhostuserrng.device.virtqueue;
