package org.vhostuserrng.backends.limiter;

import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.limiter.DrrGuestFlow.Awaited;

/**
 * What the guests of a host share, bytes of a total in a period and a source that may be slow, and who gets how much of
 * it when there is not enough: by weight, not by who asks most or for most.
 *
 * <p>Deficit round robin: in each round a guest may have a quantum for each unit of its weight; a round ends when all
 * that take part have had theirs. A driver makes its next request a moment after the last one was served, so a guest
 * takes part until that moment has passed; whoever had its quantum waits so long. One that asks for nothing takes no
 * part: what it leaves is the others'. As long as nothing is scarce nobody waits, and nothing is counted.
 *
 * <p>A guest with a guaranteed minimum is served before the others as long as it has had less. Time is an input,
 * nanoseconds that do not run backwards. Confined to one thread.
 */
public final class DeficitRoundRobin {
    private static final long SMALLEST_QUANTUM = RateLimit.TYPICAL_REQUEST;
    private static final long LARGEST_QUANTUM = 4096;
    private static final long QUANTA_A_PERIOD = 4096;

    /** How long a driver takes to ask again: to handle an interrupt, a few times. */
    private static final long MOMENT_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    /** How long a source is thought to be slow after it had nothing. */
    private static final long DRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /** When nobody was served for so long, those that wait for the others' turn wait no more: no guest can hold up all. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final RateLimitConfig limits;
    private final RateLimit total;
    private final boolean limited;
    private final long quantum;
    private final Runnable onTurn;

    private long round;
    /** How many take part, and how many of these have not had their quantum. */
    private int active;

    private int owing;
    private int awaitingTurn;
    /** How many of those that awaited their turn when the round began have not asked since. */
    private int invited;

    private int awaitingTotal;
    private int awaitingSource;
    private int awaitingGuaranteed;
    private long dryUntil = -1;
    private long servedAt;
    private DrrGuestFlow earliest;
    private DrrGuestFlow latest;

    /**
     * Nobody shares yet.
     *
     * @param total bytes in a period for all together; {@link RateLimitConfig#NONE} if there are as many as the source has
     * @param onTurn told, by the caller's thread, that those who wait are to ask again
     */
    public DeficitRoundRobin(RateLimitConfig total, Runnable onTurn) {
        this.limits = total;
        this.total = total.bytesAllowance();
        this.limited = total.maxBytes() != GuestRateLimiter.UNLIMITED;
        this.quantum = limited
                ? Math.clamp(total.maxBytes() / QUANTA_A_PERIOD, SMALLEST_QUANTUM, LARGEST_QUANTUM)
                : SMALLEST_QUANTUM;
        this.onTurn = onTurn;
    }

    /** A guest's share. */
    public DrrGuestFlow share(DrrGuestConfig claim) {
        RateLimit guarantee = claim.minBytes() == 0
                ? null
                : TokenBucket.exactly(claim.minBytes(), TimeUnit.MILLISECONDS.toNanos(limits.periodMillis()));
        return new DrrGuestFlow(this, quantum * claim.weight(), guarantee);
    }

    boolean isLimited() {
        return limited;
    }

    boolean isScarce(long now) {
        return limited || isSourceDry(now);
    }

    private boolean isSourceDry(long now) {
        return awaitingSource > 0 || now < dryUntil;
    }

    long grantFreely(DrrGuestFlow share, long wanted) {
        stopAwaiting(share);
        return wanted;
    }

    long grant(DrrGuestFlow share, long now, long wanted) {
        boolean enough = !isSourceDry(now) && total.isFull(now);
        boolean inVain = share.awaited == Awaited.TURN && now - Math.max(servedAt, share.turnSince) >= PATIENCE_NANOS;
        if (share.awaited != Awaited.TURN || inVain) {
            share.turnSince = now;
        }
        stopAwaiting(share);
        restLateOnes(now);
        if (inVain) {
            nextRound();
        }
        takePart(share, now);
        if (enough && share.left <= 0 && invited == 0) {
            // What comes would be lost, as those whose turn it is do not ask fast enough: it is shared like the rest.
            nextRound();
            takePart(share, now);
        }
        long guaranteed = share.guarantee == null ? 0 : share.guarantee.available(now, wanted);
        long most = Math.max(guaranteed, ofThisRound(share, wanted));
        if (most == 0) {
            return awaitTurn(share, wanted);
        }
        long granted = total.available(now, most);
        if (granted == 0) {
            awaitEntitled(share, guaranteed > 0);
            return await(
                    share, Awaited.TOTAL, total.nextRefill(guaranteed > 0 ? most : Math.max(most, forAllWaiting())));
        }
        return granted;
    }

    /** What a share may still have in this round, if nobody goes before it. */
    private long ofThisRound(DrrGuestFlow share, long wanted) {
        if (awaitingGuaranteed > 0 || share.left <= 0) {
            return 0;
        }
        // A little more than is left rather than a completion of a few bytes: the next round has the less.
        return Math.min(wanted, Math.max(share.left, SMALLEST_QUANTUM));
    }

    /** So that many who wait for the total do not all come back for what is enough for one. */
    private long forAllWaiting() {
        return Math.min(awaitingTotal * SMALLEST_QUANTUM, total.worthwhile(GuestRateLimiter.UNLIMITED) / 2);
    }

    void charge(DrrGuestFlow share, long now, long served) {
        servedAt = now;
        total.charge(now, served);
        if (share.guarantee != null) {
            share.guarantee.charge(now, Math.min(served, share.guarantee.inStore(now)));
        }
        if (share.active) {
            boolean hadTurn = share.left <= 0;
            share.left = Math.max(share.left - served, -share.quantum);
            if (!hadTurn && share.left <= 0) {
                hadTurn();
            }
        }
    }

    void settle(long now) {
        total.settle(now);
    }

    void starved(DrrGuestFlow share, long now) {
        dryUntil = now + DRY_NANOS;
        stopAwaiting(share);
        takePart(share, now);
        await(share, Awaited.SOURCE, DrrGuestFlow.NEVER);
    }

    void pause(DrrGuestFlow share, long now) {
        if (share.awaited != Awaited.NOTHING) {
            stopAwaiting(share);
            takePart(share, now);
        }
    }

    void rest(DrrGuestFlow share) {
        share.retryAt = DrrGuestFlow.NEVER;
        stopAwaiting(share);
        leave(share);
    }

    // --- rounds ----------------------------------------------------------------------------------------------------

    private void takePart(DrrGuestFlow share, long now) {
        if (!share.active) {
            share.active = true;
            active++;
            // One that comes back in the same round goes on where it was: to pause is no way to a second quantum.
            if (share.round != round || share.left > 0) {
                owing++;
            }
        } else {
            unlink(share);
        }
        link(share, now);
        if (owing == 0) {
            nextRound();
        }
        while (share.round != round) {
            share.round = round;
            // Something is left of a round that ended early; never more than one quantum is kept.
            share.left = Math.min(share.left, share.quantum) + share.quantum;
            if (share.left <= 0) {
                hadTurn();
            }
        }
    }

    private void leave(DrrGuestFlow share) {
        if (!share.active) {
            return;
        }
        unlink(share);
        share.active = false;
        active--;
        if (share.round != round || share.left > 0) {
            hadTurn();
        }
    }

    private void hadTurn() {
        owing--;
        if (owing == 0) {
            nextRound();
        }
    }

    private void nextRound() {
        round++;
        owing = active;
        invited = awaitingTurn;
        tellThoseAwaitingTurn();
    }

    // --- waiting ---------------------------------------------------------------------------------------------------

    private long awaitTurn(DrrGuestFlow share, long wanted) {
        unlink(share);
        long whenOneIsLate = earliest == null ? DrrGuestFlow.NEVER : earliest.askedAt + MOMENT_NANOS;
        long whenGuaranteed = share.guarantee == null ? DrrGuestFlow.NEVER : share.guarantee.nextRefill(wanted);
        return await(share, Awaited.TURN, Math.min(whenOneIsLate, whenGuaranteed));
    }

    private long await(DrrGuestFlow share, Awaited what, long retryAt) {
        unlink(share);
        share.awaited = what;
        share.retryAt = retryAt;
        count(what, 1);
        return 0;
    }

    private void awaitEntitled(DrrGuestFlow share, boolean entitled) {
        if (entitled) {
            share.entitled = true;
            awaitingGuaranteed++;
        }
    }

    private void stopAwaiting(DrrGuestFlow share) {
        if (share.awaited == Awaited.TURN && share.round != round) {
            invited--;
        }
        count(share.awaited, -1);
        share.awaited = Awaited.NOTHING;
        if (share.entitled) {
            share.entitled = false;
            awaitingGuaranteed--;
            if (awaitingGuaranteed == 0) {
                tellThoseAwaitingTurn();
            }
        }
    }

    private void count(Awaited what, int difference) {
        switch (what) {
            case TURN -> awaitingTurn += difference;
            case TOTAL -> awaitingTotal += difference;
            case SOURCE -> awaitingSource += difference;
            case NOTHING -> {
                // Not counted.
            }
        }
    }

    private void tellThoseAwaitingTurn() {
        if (awaitingTurn > 0) {
            onTurn.run();
        }
    }

    // --- those that take part and do not wait ------------------------------------------------------------------------

    private void restLateOnes(long now) {
        while (earliest != null && now >= earliest.askedAt + MOMENT_NANOS) {
            leave(earliest);
        }
    }

    private void link(DrrGuestFlow share, long now) {
        share.askedAt = now;
        share.earlier = latest;
        if (latest == null) {
            earliest = share;
        } else {
            latest.later = share;
        }
        latest = share;
    }

    /** Takes a share out, if it is there: one that waits is not. */
    private void unlink(DrrGuestFlow share) {
        if (share.earlier != null) {
            share.earlier.later = share.later;
        } else if (earliest == share) {
            earliest = share.later;
        } else {
            return;
        }
        if (share.later != null) {
            share.later.earlier = share.earlier;
        } else {
            latest = share.earlier;
        }
        share.earlier = null;
        share.later = null;
    }
}
