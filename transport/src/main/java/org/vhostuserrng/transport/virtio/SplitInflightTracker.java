package org.vhostuserrng.transport.virtio;

/**
 * The record of in-flight requests of one split virtqueue. Requests that a predecessor left in flight are resubmitted:
 * the device serves them before the available ring. Confined to the loop's thread.
 */
public interface SplitInflightTracker {
    /** Whether a predecessor left the record. */
    boolean isResumed();

    /**
     * The number of heads to resubmit. None if the predecessor served requests in order: the heads are then still in
     * the available ring, and the device pops them again. It can be stopped before it serves them, and a successor
     * without the record still finds them in the ring.
     */
    int resubmittedCount();

    /** Whether {@link #nextResubmitted} must be served before the available ring. */
    boolean hasResubmitted();

    /** The next resubmitted head. */
    int nextResubmitted();

    /**
     * Whether as many heads are used as the driver can have made available; these heads must then be published first.
     */
    boolean isFull();

    /** Marks a head as in flight, before its buffers are written. Does nothing for a resubmitted head. */
    void markInflight(int head);

    /** Undoes {@link #markInflight}. */
    void unmarkInflight(int head);

    /**
     * Records that a used element was added; the driver cannot see it yet.
     *
     * @return false if the head was a resubmitted one, true if it was popped from the available ring
     */
    boolean addUsed(int head);

    /** Records that the driver sees all used elements up to this used index. */
    void published(int usedIdx);
}
