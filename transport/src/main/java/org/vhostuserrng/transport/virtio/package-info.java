/**
 * What a virtio device and a transport know of each other.
 *
 * <p>A device implements {@link org.vhostuserrng.transport.virtio.VirtioDevice} and
 * {@link org.vhostuserrng.transport.virtio.VirtqueueHandler}; it is given {@link org.vhostuserrng.transport.memory.GuestMemory}, addressed
 * by guest-physical addresses only, and a {@link org.vhostuserrng.transport.virtio.UsedBufferNotifier}. A device learns nothing
 * of vhost-user. All of it is used on one thread, the event loop's, in program order: no locks, no atomics. What is shared
 * with the guest is ordered by the device with fences, since the guest is another thread.
 *
 * <p>Addresses and lengths that come from a guest are unsigned 64-bit and 32-bit numbers and are checked where they are
 * used, each time.
 */
package org.vhostuserrng.transport.virtio;
