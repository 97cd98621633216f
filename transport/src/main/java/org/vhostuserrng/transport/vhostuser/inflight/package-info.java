/**
 * The records with which the next process resumes a virtqueue: the inflight region of vhost-user ("Inflight I/O
 * tracking"; its layouts QueueRegionSplit and QueueRegionPacked implement the trackers of
 * {@link org.vhostuserrng.transport.virtio.InflightTrackerFactory}), and the position of a packed virtqueue without an
 * inflight region. All types are confined to the loop's thread.
 */
package org.vhostuserrng.transport.vhostuser.inflight;
