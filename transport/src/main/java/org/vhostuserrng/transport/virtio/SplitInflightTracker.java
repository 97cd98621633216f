package org.vhostuserrng.transport.virtio;

/**
 * The record of the in-flight requests of one split virtqueue. Requests that a previous process left in flight are
 * resubmitted: the device serves them before those in the available ring. Confined to the loop's thread.
 */
public interface SplitInflightTracker {
    /** Returns whether a previous process left the record. */
    boolean isResumed();

    /**
     * The number of heads to resubmit. 0 if the previous process served requests in order: their heads are then still
     * in the available ring, and the device pops them again. If it is stopped before, a device without the record also
     * finds them there.
     */
    int resubmittedCount();

    /** Returns whether a resubmitted head is left, which must be served before the heads in the available ring. */
    boolean hasResubmitted();

    /** The next resubmitted head. */
    int nextResubmitted();

    /**
     * Returns whether the unpublished used elements are as many as the Queue Size. They must then be published before
     * another head is popped.
     */
    boolean isFull();

    /**
     * Marks a head as in flight. Must be called before the device writes to its buffers. Does nothing for a resubmitted
     * head.
     */
    void markInflight(int head);

    /** Undoes {@link #markInflight}. */
    void unmarkInflight(int head);

    /**
     * Records that a used element was added, which the driver cannot see yet.
     *
     * @return true if the head was popped from the available ring, false if it was resubmitted
     */
    boolean addUsed(int head);

    /** Records that the driver can see all used elements before {@code usedIdx}, the idx field of the used ring. */
    void published(int usedIdx);
}
