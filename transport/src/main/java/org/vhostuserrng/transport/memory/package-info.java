/**
 * Guest memory for a userspace device: regions by guest-physical address, the device IOTLB, and the dirty page log. The
 * package is independent of vhost-user and of virtqueue formats.
 *
 * <p>Addresses from a guest are unsigned 64-bit numbers, lengths are unsigned 32-bit numbers. They are translated and
 * bounds-checked at each use, never earlier. Accessing memory that its owner has truncated raises SIGBUS, which the JVM
 * survives only for plain accesses.
 *
 * <p>Memory that this process cannot map may be accessed by messages. Then a region and the areas of a virtqueue are
 * copies, which the transport reads before the device reads them, and writes after the device has written to them:
 * {@link org.vhostuserrng.transport.memory.ShadowVirtqueueAreas}.
 */
package org.vhostuserrng.transport.memory;
