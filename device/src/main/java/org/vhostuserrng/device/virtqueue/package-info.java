/**
 * The device's side of virtqueues, split (VIRTIO 1.3 §2.7) and packed (§2.8). Knows no device type and no transport.
 *
 * <p>The guest's driver is not trusted: every index, address and length is read once and validated at use. A violation
 * is a {@link org.vhostuserrng.device.virtqueue.VirtqueueFault}, never an exception. Everything is confined to the
 * event loop's thread. Towards the guest, an index is read with a plain load and an acquire fence, and published with a
 * release fence and a plain store: guest memory may vanish, and the JVM survives that for plain accesses only.
 *
 * <p>Requests in flight can be recorded in memory that outlives the process
 * ({@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}).
 */
package org.vhostuserrng.device.virtqueue;
