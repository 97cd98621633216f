package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;

/**
 * Opens the record in which a virtqueue keeps its in-flight requests: the requests that the device has popped and that
 * the driver cannot see as used yet. The record outlives the process, so that a successor completes each request
 * exactly once. Its memory is shared with an untrusted peer. Confined to the loop's thread.
 */
public interface InflightTrackerFactory {
    /**
     * Opens the record of a split virtqueue: resumes a predecessor's record, or begins a new one.
     *
     * @param queueSize Queue Size of the virtqueue
     * @param usedIdx the index in the used ring
     * @param headAt the head in the available ring at a free-running index
     * @throws InvalidVirtqueueException if the record is invalid or belongs to another virtqueue
     */
    SplitInflightTracker openSplit(int queueSize, int usedIdx, IntUnaryOperator headAt)
            throws InvalidVirtqueueException;

    /**
     * Opens the record of a packed virtqueue: resumes a predecessor's record, or begins a new one.
     *
     * @param ring the descriptor ring
     * @param queueSize Queue Size of the virtqueue
     * @param nextUsed the next used descriptor of a new record, as in {@link VirtqueuePosition}
     * @throws InvalidVirtqueueException if the record is invalid or belongs to another virtqueue
     */
    PackedInflightTracker openPacked(MemorySegment ring, int queueSize, int nextUsed) throws InvalidVirtqueueException;
}
