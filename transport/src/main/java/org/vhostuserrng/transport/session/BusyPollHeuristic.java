package org.vhostuserrng.transport.session;

/**
 * Decides whether to busy poll a vring after it has become empty, instead of sleeping until the next kick. Busy polling
 * is worthwhile if requests arrive within the poll time and a CPU is free for polling.
 *
 * <p>Adaptive: {@link #REQUIRED_SHORT_GAPS} short gaps between requests enable polling. A failed poll disables it for a
 * number of requests that doubles with each failure. An idle guest therefore costs nothing. If guest and daemon share a
 * CPU, polling delays the request it waits for, but this affects only one request in thousands. Confined to the loop's
 * thread.
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
     * @param pollNanos maximum time of one poll; 0 disables polling
     */
    BusyPollHeuristic(long pollNanos) {
        this.pollNanos = pollNanos;
    }

    /** Whether to poll once the vring is empty. */
    boolean isWorthwhile() {
        return shortGaps >= REQUIRED_SHORT_GAPS && backoffLeft == 0;
    }

    /** The vring became empty. Returns the end time of a poll that starts now. */
    long emptied(long now) {
        emptySince = now;
        return now + pollNanos;
    }

    /** A request arrived. */
    void requestArrived(long now) {
        if (emptySince == NOT_EMPTY) {
            return;
        }
        boolean shortGap = now - emptySince <= pollNanos && pollNanos > 0;
        emptySince = NOT_EMPTY;
        shortGaps = shortGap ? Math.min(shortGaps + 1, REQUIRED_SHORT_GAPS) : 0;
        backoffLeft = Math.max(backoffLeft - 1, 0);
    }

    /** A poll found a request. */
    void succeeded() {
        backoffRequests = Math.max(backoffRequests / 2, MIN_BACKOFF_REQUESTS);
    }

    /** A poll ended without a request. */
    void failed() {
        shortGaps = 0;
        backoffLeft = backoffRequests;
        backoffRequests = Math.min(2 * backoffRequests, MAX_BACKOFF_REQUESTS);
    }
}
