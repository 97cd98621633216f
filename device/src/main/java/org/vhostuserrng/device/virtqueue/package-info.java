/**
 * The device's side of split (VIRTIO 1.3 §2.7) and packed (§2.8) virtqueues. Independent of the device type and of the
 * transport.
 *
 * <p>The guest's driver is not trusted: every index, address and length is read once and validated at use. A violation
 * is a {@link org.vhostuserrng.device.virtqueue.VirtqueueFault}, never an exception. All types are confined to the
 * event loop's thread. An index that the guest writes is read with a plain load and an acquire fence. An index that the
 * device writes is published with a release fence and a plain store. All accesses are plain, because guest memory may
 * vanish, and the JVM survives a SIGBUS only in a plain access.
 *
 * <p>In-flight requests can be recorded in memory that outlives the process
 * ({@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}).
 */
package org.vhostuserrng.device.virtqueue;
