package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;

/**
 * The record of a packed virtqueue's position: the next used descriptor, which guest memory does not contain. The
 * record outlives this process, so that the next process completes each request exactly once. Confined to the loop's
 * thread.
 */
public interface PackedUsedPositionTracker {
    /**
     * Continues the record of a previous process, or begins a new one.
     *
     * @param ring the descriptor ring
     * @param queueSize Queue Size of the virtqueue
     * @param nextUsed position of the next used descriptor if the record is new, as in {@link VirtqueuePosition}
     * @return the position of the next used descriptor, which is not validated
     */
    int open(MemorySegment ring, int queueSize, int nextUsed);

    /**
     * Must be called before the driver can see a used descriptor. The used descriptors of a batch must be recorded and
     * published one by one, in order, because each overwrites an available descriptor, which the next process could not
     * read again.
     *
     * @param nextUsed the position after the used descriptor, as in {@link VirtqueuePosition}
     */
    void publishing(int nextUsed);
}
