/**
 * Guest memory for a userspace device: regions by guest-physical address, the device IOTLB, and the dirty page log. The
 * package is independent of vhost-user and of virtqueue formats.
 *
 * <p>Addresses from a guest are unsigned 64-bit numbers, lengths are unsigned 32-bit numbers. They are translated and
 * bounds-checked at each use, never earlier. Accessing memory that its owner has truncated raises SIGBUS, which the JVM
 * survives only for plain accesses.
 */
package org.vhostuserrng.transport.memory;
