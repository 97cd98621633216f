package org.vhostuserrng.transport.virtio;

/**
 * A started virtqueue of a device. The transport calls {@link #drain(long)} when the driver may have made requests
 * available.
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
     * Like {@link #drain()}, for a caller that has just read the clock.
     *
     * @param now the time, not before the virtqueue was started
     */
    default DrainResult drain(long now) {
        return drain();
    }

    /**
     * Like {@link #drain()}, but leaves driver notifications disabled after {@link DrainResult#EMPTY}: the caller polls
     * {@link #hasPending} instead.
     */
    DrainResult drainForBusyPoll();

    /** Like {@link #drainForBusyPoll()}, as {@link #drain(long)}. */
    default DrainResult drainForBusyPoll(long now) {
        return drainForBusyPoll();
    }

    /** Whether a request is available. Reads the ring. */
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
