package org.vhostuserrng.transport.virtio;

/**
 * A started virtqueue of a device. The transport calls {@link #drain(long)} when the driver may have made requests
 * available.
 * All methods are called on the event loop's thread.
 *
 * <p>All times are times of {@link VirtqueueConfig#clock}: nanoseconds, never negative.
 */
public interface VirtqueueHandler {
    /** {@link #retryAt}: no deadline. */
    long NEVER = Long.MAX_VALUE;

    /**
     * Serves a bounded number of available requests, and enables driver notifications again if none is left. A request
     * that cannot be served yet stays available.
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
     * After {@link DrainResult#THROTTLED} or {@link DrainResult#STARVED}: the time to drain again even without a
     * notification, or {@link #NEVER}.
     */
    long retryAt();

    /** The ring was disabled. Releases the guest's share of shared bandwidth, even if a request is pending. */
    void disabled();

    /** Describes the driver's violation after {@link DrainResult#BROKEN}, for a log line. */
    String fault();

    /** The position at which a successor would resume if the virtqueue were stopped now. */
    VirtqueuePosition position();

    /**
     * Stops the virtqueue. It does not access guest memory afterwards.
     *
     * @return the position at which a successor resumes
     */
    VirtqueuePosition stop();
}
