package org.vhostuserrng.transport.virtio;

/**
 * A started virtqueue of a device. The transport tells it when the driver may have made requests available. All methods
 * are called on the event loop's thread.
 *
 * <p>Times are those of {@link VirtqueueConfig#clock}: nanoseconds, never negative.
 */
public interface VirtqueueHandler {
    /** {@link #retryAt}: no deadline. */
    long NEVER = Long.MAX_VALUE;

    /**
     * Serves available requests, a bounded number of them, and enables driver notifications again once none is left. A
     * request that cannot be served yet stays available.
     */
    DrainResult drain();

    /**
     * Like {@link #drain}, but leaves driver notifications disabled after {@link DrainResult#EMPTY}: the caller polls
     * {@link #hasPending} instead.
     */
    DrainResult drainForBusyPoll();

    /** Whether a request is available, as far as guest memory shows. */
    boolean hasPending();

    /**
     * After {@link DrainResult#THROTTLED} or {@link DrainResult#STARVED}: when to drain again even without a
     * notification, or {@link #NEVER}.
     */
    long retryAt();

    /** The ring was disabled: releases the guest's claim on shared bandwidth, even if a request is pending. */
    void disabled();

    /** Describes the driver's violation after {@link DrainResult#BROKEN}, for a log line. */
    String fault();

    /** The position at which a successor would resume if the virtqueue were stopped now. */
    VirtqueuePosition position();

    /**
     * Stops the virtqueue. It does not touch guest memory afterwards.
     *
     * @return the position at which a successor resumes
     */
    VirtqueuePosition stop();
}
