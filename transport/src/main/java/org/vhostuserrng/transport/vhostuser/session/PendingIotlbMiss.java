package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.TimeUnit;

/**
 * The translation that a ring waits for: one at a time is asked for, and again after a while that doubles each time, as
 * a front-end may have dropped the question, or have no answer. Confined to the loop's thread.
 */
final class PendingIotlbMiss {
    private static final long FIRST_WAIT = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(1);

    private final IommuState translations;
    private boolean asked;
    private long iova;
    private long wait;
    private long askAgainAt;

    PendingIotlbMiss(IommuState translations) {
        this.translations = translations;
    }

    /** Asks the front-end, unless it has been asked a moment ago: when to ask again if it does not answer. */
    long ask(long missingIova, int access, long now) {
        if (asked && now < askAgainAt) {
            return askAgainAt;
        }
        wait = asked ? Math.min(2 * wait, LONGEST_WAIT) : FIRST_WAIT;
        asked = true;
        iova = missingIova;
        askAgainAt = now + wait;
        translations.sendMiss(iova, access);
        return askAgainAt;
    }

    /** Whether a range of addresses holds what was asked for and not answered. */
    boolean isIn(long first, long last) {
        return asked && Long.compareUnsigned(iova - first, last - first) <= 0;
    }

    /** Nothing is waited for any more, or there is somebody else to ask. */
    void forget() {
        asked = false;
    }
}
