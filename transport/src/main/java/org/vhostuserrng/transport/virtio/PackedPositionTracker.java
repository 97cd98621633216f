package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;

/**
 * The record of the next used descriptor of a packed virtqueue, which guest memory does not contain. The record
 * outlives the process, so that a successor completes each request exactly once. Confined to the loop's thread.
 */
public interface PackedPositionTracker {
    /**
     * Continues the record of another process, or begins a new one.
     *
     * @param ring the descriptor ring
     * @param queueSize Queue Size of the virtqueue
     * @param nextUsed the next used descriptor of a new record, as in {@link VirtqueuePosition}
     * @return the next used descriptor; not validated
     */
    int open(MemorySegment ring, int queueSize, int nextUsed);

    /**
     * Must be called before the driver can see a used descriptor. The used descriptors of a batch are recorded and
     * published one by one, in order: each overwrites an available descriptor, which a successor could not read again.
     *
     * @param nextUsed the position after the used chain, as in {@link VirtqueuePosition}
     */
    void publishing(int nextUsed);
}
