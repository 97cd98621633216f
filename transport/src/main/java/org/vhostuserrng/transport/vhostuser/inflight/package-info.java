/**
 * The inflight region of vhost-user ("Inflight I/O tracking"): the layouts QueueRegionSplit and QueueRegionPacked
 * behind the device's {@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}. Loop's thread.
 */
package org.vhostuserrng.transport.vhostuser.inflight;
