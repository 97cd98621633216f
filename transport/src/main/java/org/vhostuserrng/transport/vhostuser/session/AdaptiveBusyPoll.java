package org.vhostuserrng.transport.vhostuser.session;

/**
 * Whether it pays to look at a ring again and again for a moment after it has gone empty, instead of sleeping until the
 * guest kicks: it does when requests follow each other within that moment, and a processor is free for the looking.
 *
 * <p>Learns from what happens. A row of short gaps convinces it; having looked in vain makes it doubt, for twice as many
 * requests each time that happens. So an idle guest costs nothing, and where guest and daemon share a processor, and
 * every look keeps away what it looks for, one request in thousands is late. Confined to the loop's thread.
 */
final class AdaptiveBusyPoll {
    private static final int CONVINCING_GAPS = 8;
    private static final int LEAST_DOUBT = 16;
    private static final int MOST_DOUBT = 4096;
    private static final long NEVER = -1;

    private final long limitNanos;
    private long emptySince = NEVER;
    private int shortGaps;
    private int doubt = LEAST_DOUBT;
    private int doubtLeft;

    /**
     * Patience that is not convinced yet.
     *
     * @param limitNanos how long the moment is; 0 for none, ever
     */
    AdaptiveBusyPoll(long limitNanos) {
        this.limitNanos = limitNanos;
    }

    /** Whether to look at the ring once it is empty. */
    boolean isConvinced() {
        return shortGaps >= CONVINCING_GAPS && doubtLeft == 0;
    }

    /** The ring is empty: until when to look at it, if {@link #isConvinced}. */
    long emptied(long now) {
        emptySince = now;
        return now + limitNanos;
    }

    /** A request has come. */
    void requestCame(long now) {
        if (emptySince == NEVER) {
            return;
        }
        boolean soon = now - emptySince <= limitNanos && limitNanos > 0;
        emptySince = NEVER;
        shortGaps = soon ? Math.min(shortGaps + 1, CONVINCING_GAPS) : 0;
        doubtLeft = Math.max(doubtLeft - 1, 0);
    }

    /** It was looked at, and the request came while it was. */
    void lookedWell() {
        doubt = Math.max(doubt / 2, LEAST_DOUBT);
    }

    /** It was looked at, and no request came. */
    void lookedInVain() {
        shortGaps = 0;
        doubtLeft = doubt;
        doubt = Math.min(2 * doubt, MOST_DOUBT);
    }
}
