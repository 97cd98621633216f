/**
 * What a successor of this process needs to resume a virtqueue: the inflight region of vhost-user ("Inflight I/O
 * tracking"), whose layouts QueueRegionSplit and QueueRegionPacked implement the device's
 * {@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}, and the position of a packed virtqueue without one.
 * All types are confined to the loop's thread.
 */
package org.vhostuserrng.transport.vhostuser.inflight;
