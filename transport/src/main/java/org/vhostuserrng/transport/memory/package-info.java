/**
 * Guest memory as a userspace device sees it: regions by guest-physical address, the device IOTLB, the dirty page log.
 * Knows neither vhost-user nor a virtqueue's format.
 *
 * <p>Addresses and lengths from a guest are unsigned 64-bit and 32-bit numbers. They are translated and bounds-checked
 * at each use, never earlier. Memory that can be truncated by its owner may raise SIGBUS; only plain accesses survive
 * it.
 */
package org.vhostuserrng.transport.memory;
