package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;

/**
 * The record of the in-flight requests of one packed virtqueue. It contains copies of the descriptors, because a used
 * descriptor overwrites an available one in the ring. Chains that a previous process left in flight are resubmitted:
 * the device serves them before those in the descriptor ring. Confined to the loop's thread.
 */
public interface PackedInflightTracker {
    /** Returns whether a previous process left the record. */
    boolean isResumed();

    /** The position of the next used descriptor after recovery, as in {@link VirtqueuePosition}. */
    int nextUsed();

    /** The number of descriptors in all resubmitted chains. */
    int resubmittedCount();

    /** Returns whether a resubmitted chain is left, which must be served before the chains in the descriptor ring. */
    boolean hasResubmitted();

    /** The index of the record's entry for the first descriptor of the next resubmitted chain. */
    int resubmittedEntry();

    /** The number of descriptors in the next resubmitted chain; 0 if the record has become invalid. */
    int resubmittedLength();

    /**
     * Copies a descriptor of the next resubmitted chain.
     *
     * @param entry {@link #resubmittedEntry} at first, then the result of the previous call
     * @param target receives the descriptor, in the format of a descriptor ring
     * @return the index of the entry for the next descriptor of the chain
     */
    int copyResubmitted(int entry, MemorySegment target);

    /**
     * Marks a chain as in flight. Must be called before the device writes to its buffers. Does nothing for a
     * resubmitted chain.
     *
     * @param index the index of the chain's first descriptor in {@code ring}
     * @param length the number of descriptors in the chain
     */
    void markInflight(MemorySegment ring, int index, int length);

    /** Undoes the last {@link #markInflight}. */
    void unmarkInflight();

    /**
     * Records that the device has used the chain that is in flight. The driver cannot see the used descriptor yet.
     *
     * @return true if the chain was popped from the descriptor ring, false if it was resubmitted
     */
    boolean addUsed();

    /**
     * Must be called before the driver can see the used descriptors.
     *
     * @param nextUsed the position after the used descriptors, as in {@link VirtqueuePosition}
     */
    void publishing(int nextUsed);

    /** Must be called after all used descriptors have become visible to the driver. */
    void published();
}
