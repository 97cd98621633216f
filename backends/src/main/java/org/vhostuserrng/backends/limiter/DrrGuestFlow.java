package org.vhostuserrng.backends.limiter;

/**
 * One guest's part of what the guests of a host share. It is the guest's, whatever sessions come and go. Confined to the
 * thread of its {@link DeficitRoundRobin}, whose book-keeping its fields are, kept here so that sharing allocates nothing.
 */
public final class DrrGuestFlow {
    /** {@link #retryAt}: no time is known. */
    public static final long NEVER = Long.MAX_VALUE;

    /** What a guest has asked for and not got. */
    enum Awaited {
        NOTHING,
        /** The others' turn to end. */
        TURN,
        TOTAL,
        SOURCE
    }

    final DeficitRoundRobin fair;
    /** Bytes a round. */
    final long quantum;
    /** What is served before all else; null for nothing. */
    final RateLimit guarantee;

    /** Takes part in the round: waits, or has asked a moment ago. */
    boolean active;
    /** The last round it took part in, and the bytes that it may still have in it; not more than 0: it had its turn. */
    long round = -1;

    long left;
    Awaited awaited = Awaited.NOTHING;
    /** Waits for what it is guaranteed. */
    boolean entitled;

    long retryAt;
    /** Since when it awaits the others' turn to end. */
    long turnSince;

    long askedAt;
    /** Neighbours among those that take part and do not wait, by {@link #askedAt}. */
    DrrGuestFlow earlier;

    DrrGuestFlow later;

    DrrGuestFlow(DeficitRoundRobin fair, long quantum, RateLimit guarantee) {
        this.fair = fair;
        this.quantum = quantum;
        this.guarantee = guarantee;
    }

    /** Whether what is served has to be settled. */
    public boolean isLimited() {
        return fair.isLimited();
    }

    /**
     * How many bytes a request may be given now.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; or 0: then it is to be asked again when those that wait are told to, and not later
     *     than {@link #retryAt}
     */
    public long grant(long now, long wanted) {
        return fair.isScarce(now) ? fair.grant(this, now, wanted) : fair.grantFreely(this, wanted);
    }

    /** Whether what {@link #grant} refused is for lack of the host's total, not of the source. */
    public boolean awaitsTotal() {
        return awaited != Awaited.SOURCE && fair.isLimited();
    }

    /** After {@link #grant} gave nothing: when to ask again at the latest, or {@link #NEVER}. */
    public long retryAt() {
        return retryAt;
    }

    /**
     * Counts bytes that were served.
     *
     * @param now the time given to {@link #grant}
     * @param served at most what was granted
     */
    public void charge(long now, long served) {
        fair.charge(this, now, served);
    }

    /** Tells that the source, which is everybody's, gave nothing of what was granted. */
    public void starved(long now) {
        fair.starved(this, now);
    }

    /** Tells that all that was charged so far can be seen by the guest. */
    public void settle(long now) {
        fair.settle(now);
    }

    /** Tells that the guest does not wait any more, but may ask again in a moment. */
    public void pause(long now) {
        fair.pause(this, now);
    }

    /** Tells that the guest asks for nothing until further notice: the others need not wait for it. */
    public void rest() {
        fair.rest(this);
    }
}
