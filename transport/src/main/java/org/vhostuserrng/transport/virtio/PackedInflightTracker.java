package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;

/**
 * The record of in-flight requests of one packed virtqueue. Because a used descriptor overwrites an available one, the
 * record keeps copies of the descriptors. Chains that a predecessor left in flight are resubmitted: the device serves
 * them before the descriptor ring. Confined to the loop's thread.
 */
public interface PackedInflightTracker {
    /** Whether a predecessor left the record. */
    boolean isResumed();

    /** The next used descriptor after recovery, as in {@link VirtqueuePosition}. */
    int nextUsed();

    /** The number of descriptors in all resubmitted chains. */
    int resubmittedCount();

    /** Whether a resubmitted chain must be served before the descriptor ring. */
    boolean hasResubmitted();

    /** The entry of the first descriptor of the next resubmitted chain. */
    int resubmittedEntry();

    /** The number of descriptors in the next resubmitted chain; 0 if the record has become invalid. */
    int resubmittedLength();

    /**
     * Copies a descriptor of the next resubmitted chain.
     *
     * @param entry {@link #resubmittedEntry}, or the result of the last call
     * @param target receives a descriptor in the format of a descriptor ring
     * @return the entry of the following descriptor
     */
    int copyResubmitted(int entry, MemorySegment target);

    /**
     * Marks a chain as in flight, before its buffers are written. Does nothing for a resubmitted chain.
     *
     * @param index the chain's first descriptor in {@code ring}
     * @param length the number of descriptors in the chain
     */
    void markInflight(MemorySegment ring, int index, int length);

    /** Undoes {@link #markInflight}. */
    void unmarkInflight();

    /**
     * Records that the chain is used; the driver cannot see this yet.
     *
     * @return false if the chain was a resubmitted one, true if it was popped from the descriptor ring
     */
    boolean addUsed();

    /** Must be called before the driver can see the used chains. */
    void publishing(int nextUsed);

    /** Must be called after all used chains are visible to the driver. */
    void published();
}
