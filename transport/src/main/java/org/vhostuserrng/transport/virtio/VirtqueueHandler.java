package org.vhostuserrng.transport.virtio;

import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * A virtqueue that runs. Called on the event loop's thread only.
 *
 * <p>Times are those of the clock in its {@link VirtqueueConfig}: nanoseconds, never negative.
 */
public interface VirtqueueHandler {
    /** {@link #drain}: nothing is left to do until the guest kicks. */
    long IDLE = Long.MAX_VALUE;
    /** {@link #drain}: this turn's share is used up, there is more to do at once. */
    long MORE = -1;
    /**
     * {@link #drain}: a request waits for what guests share, a source for one. Whoever knows tells the loop when those
     * that wait are to try again; or try {@link #retryAt}, or in a second.
     */
    long STARVED = -2;
    /** {@link #drain}: the guest's driver broke the rules; {@link #fault} tells how. The queue must not be drained again. */
    long BROKEN = -3;
    /** {@link #drain}: a request waits for a translation, which the {@link VirtqueueAddressSpace} knows, and for nothing else. */
    long MISSING = -4;

    /**
     * Serves requests, a bounded number of them. A request that cannot be served yet stays in the ring.
     *
     * @return when to be called again if the guest does not kick before: a time, or one of the constants
     */
    long drain();

    /**
     * As {@link #drain}, but for {@link #IDLE}: the guest has been told not to kick, and the caller will look whether the
     * queue {@link #isPending} instead.
     */
    long drainAndStay();

    /** Whether there is something to {@link #drain}, as far as the guest's memory tells. */
    boolean isPending();

    /** After {@link #STARVED}: when to try again even if nobody tells to, or {@link #IDLE}. */
    long retryAt();

    /** The queue will not be drained for a while, though a request may wait in it. */
    void rest();

    /** What made the queue {@link #BROKEN}, in a few words for a log. */
    String fault();

    /**
     * Ends the queue: guest memory is not touched after this.
     *
     * @return where a later queue goes on, in the form of {@link VirtqueueConfig#base}
     */
    int stop();
}
