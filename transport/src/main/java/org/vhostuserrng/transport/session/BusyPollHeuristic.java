package org.vhostuserrng.transport.session;

/**
 * Decides whether the loop polls a vring that has become empty, instead of sleeping until the next kick. Busy polling
 * is worthwhile if the next request usually arrives within the poll time, and a CPU is free for polling.
 *
 * <p>{@link #REQUIRED_SHORT_GAPS} consecutive short gaps before requests enable polling. A failed poll disables it for
 * a number of requests that doubles with each failure, so an idle guest uses no CPU time. If the guest and the daemon
 * share a CPU, a poll delays the request that it waits for, but then the failures limit polling to one request in
 * thousands. Confined to the loop's thread.
 */
final class BusyPollHeuristic {
    private static final int REQUIRED_SHORT_GAPS = 8;
    private static final int MIN_BACKOFF_REQUESTS = 16;
    private static final int MAX_BACKOFF_REQUESTS = 4096;
    private static final long NOT_EMPTY = -1;

    private final long pollNanos;
    private long emptySince = NOT_EMPTY;
    private int shortGaps;
    private int backoffRequests = MIN_BACKOFF_REQUESTS;
    private int backoffLeft;

    /**
     * Creates an instance that does not poll yet.
     *
     * @param pollNanos maximum duration of one poll in nanoseconds; 0 disables polling
     */
    BusyPollHeuristic(long pollNanos) {
        this.pollNanos = pollNanos;
    }

    /** Returns whether to poll when the vring becomes empty. */
    boolean isWorthwhile() {
        return shortGaps >= REQUIRED_SHORT_GAPS && backoffLeft == 0;
    }

    /** Records that the vring has become empty. Returns the time at which a poll that starts now ends. */
    long emptied(long now) {
        emptySince = now;
        return now + pollNanos;
    }

    /** Records that a request has arrived. */
    void requestArrived(long now) {
        if (emptySince == NOT_EMPTY) {
            return;
        }
        boolean shortGap = now - emptySince <= pollNanos && pollNanos > 0;
        emptySince = NOT_EMPTY;
        shortGaps = shortGap ? Math.min(shortGaps + 1, REQUIRED_SHORT_GAPS) : 0;
        backoffLeft = Math.max(backoffLeft - 1, 0);
    }

    /** Records that a poll has found a request. */
    void succeeded() {
        backoffRequests = Math.max(backoffRequests / 2, MIN_BACKOFF_REQUESTS);
    }

    /** Records that a poll has ended without a request. */
    void failed() {
        shortGaps = 0;
        backoffLeft = backoffRequests;
        backoffRequests = Math.min(2 * backoffRequests, MAX_BACKOFF_REQUESTS);
    }
}
