/**
 * The inflight region of vhost-user ("Inflight I/O tracking"). The layouts QueueRegionSplit and QueueRegionPacked
 * implement the device's {@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}. All types are confined to
 * the loop's thread.
 */
package org.vhostuserrng.transport.vhostuser.inflight;
