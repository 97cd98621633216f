package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;

/**
 * Opens the record of a virtqueue's in-flight requests: requests that the device has popped, and that the driver cannot
 * see as used yet. The record outlives this process, so that the next process completes each request exactly once. The
 * record is in memory that is shared with an untrusted peer. Confined to the loop's thread.
 */
public interface InflightTrackerFactory {
    /**
     * Opens the record of a split virtqueue: continues the record of a previous process, or begins a new one.
     *
     * @param queueSize Queue Size of the virtqueue
     * @param usedIdx the idx field of the used ring
     * @param headAt returns the head in the available ring at a free-running index
     * @throws InvalidVirtqueueException if the record is invalid or belongs to another virtqueue
     */
    SplitInflightTracker openSplit(int queueSize, int usedIdx, IntUnaryOperator headAt)
            throws InvalidVirtqueueException;

    /**
     * Opens the record of a packed virtqueue: continues the record of a previous process, or begins a new one.
     *
     * @param ring the descriptor ring
     * @param queueSize Queue Size of the virtqueue
     * @param nextUsed position of the next used descriptor if the record is new, as in {@link VirtqueuePosition}
     * @throws InvalidVirtqueueException if the record is invalid or belongs to another virtqueue
     */
    PackedInflightTracker openPacked(MemorySegment ring, int queueSize, int nextUsed) throws InvalidVirtqueueException;
}
