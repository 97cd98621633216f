package org.vhostuserrng.transport.virtio;

/**
 * A started virtqueue of a device. The transport calls {@link #drain} when the driver may have made requests available.
 * All methods are called on the event loop's thread.
 *
 * <p>All times are in nanoseconds by {@link VirtqueueConfig#clock}, never negative.
 */
public interface VirtqueueHandler {
    /** Returned by {@link #retryAt} if there is no deadline. */
    long NEVER = Long.MAX_VALUE;

    /**
     * Serves a bounded number of available requests. Enables available buffer notifications again if no request is
     * left. A request that cannot be served yet stays available.
     */
    DrainResult drain();

    /**
     * Like {@link #drain}, but leaves available buffer notifications disabled after {@link DrainResult#EMPTY}: the
     * caller polls {@link #hasPending} instead.
     */
    DrainResult drainForBusyPoll();

    /** Returns whether a request is available, by reading the ring. */
    boolean hasPending();

    /**
     * The time at which to drain again, even without a kick, after {@link DrainResult#THROTTLED} or
     * {@link DrainResult#STARVED}; {@link #NEVER} for no deadline.
     */
    long retryAt();

    /**
     * Called when the front-end has disabled the ring. Gives up the guest's share of the total rate limit, even if a
     * request is pending.
     */
    void disabled();

    /** Describes, for a log line, the driver's violation after {@link DrainResult#BROKEN}. */
    String fault();

    /** The position at which another device would resume if the virtqueue were stopped now. */
    VirtqueuePosition position();

    /**
     * Stops the virtqueue. The device does not access guest memory for it afterwards.
     *
     * @return the position at which another device resumes
     */
    VirtqueuePosition stop();
}
