package org.vhostuserrng.backends.limiter;

/**
 * One guest's flow in a {@link DeficitRoundRobin}, kept across the guest's sessions. Only the scheduler uses the
 * fields; they are stored here so that scheduling allocates nothing. Confined to the scheduler's thread.
 */
public final class DrrGuestFlow {
    /** Result of {@link #retryAt}: no time is known. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Why a flow waits. */
    enum WaitReason {
        NONE,
        /** For the next round. */
        ROUND,
        /** For the total rate limit. */
        TOTAL,
        /** For bytes of the source. */
        SOURCE
    }

    final DeficitRoundRobin scheduler;
    DrrGuestConfig config;
    /** Bytes per round. */
    long quantum;
    /** The guaranteed minimum, served before other flows; null if there is none. */
    RateLimiter guarantee;

    /** In the current round: the flow waits, or made a request less than the idle timeout ago. */
    boolean active;
    /** The last round in which the flow was active. */
    long round = -1;
    /** Bytes that the flow may still receive in {@link #round}; 0 or less if it has used its quantum. */
    long deficit;

    /** Bytes of a {@link #reserve} without its {@link #charge}. */
    long reserved;

    WaitReason waitingFor = WaitReason.NONE;
    /** Waits for the total although its guarantee covers the request. */
    boolean guaranteePending;

    long retryAt;
    /** Time since which the flow waits for the next round. */
    long waitingForRoundSince;

    long lastRequestAt;
    /** Neighbours in the list of active flows that do not wait, ordered by {@link #lastRequestAt}. */
    DrrGuestFlow previousActive;

    DrrGuestFlow nextActive;

    DrrGuestFlow(DeficitRoundRobin scheduler) {
        this.scheduler = scheduler;
    }

    /** The share in force. */
    public DrrGuestConfig config() {
        return config;
    }

    /** Changes the share between two requests. */
    public void setConfig(long now, DrrGuestConfig newConfig) {
        scheduler.setConfig(this, now, newConfig);
    }

    /** Ends the flow of a guest that is removed. Its ring must have stopped. */
    public void remove() {
        scheduler.remove(this);
    }

    /** Whether there is a total rate limit, so that {@link #commit} is needed. */
    public boolean isLimited() {
        return scheduler.isLimited();
    }

    /**
     * Returns how many bytes a request may receive now.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; or 0: call again when the scheduler notifies its waiters, at {@link #retryAt} at the
     *     latest
     */
    public long grant(long now, long wanted) {
        return scheduler.isContended(now) ? scheduler.grant(this, now, wanted) : scheduler.grantUnlimited(this, wanted);
    }

    /**
     * Whether the last {@link #grant} was refused because of the total rate limit, not because the source is starved.
     */
    public boolean isThrottledByTotal() {
        return waitingFor != WaitReason.SOURCE && scheduler.isLimited();
    }

    /** After {@link #grant} returned 0: the latest time to call it again, or {@link #NEVER}. */
    public long retryAt() {
        return retryAt;
    }

    /**
     * Charges the total with a request before it is served, as if it received all of its grant. What follows without
     * {@link #charge} cannot take this back.
     *
     * @param now the time passed to {@link #grant}
     * @param granted 1 to the grant
     */
    public void reserve(long now, long granted) {
        scheduler.reserve(this, now, granted);
    }

    /**
     * Charges the bytes of a request that was served, and takes back the rest of its {@link #reserve}.
     *
     * @param now the time passed to {@link #grant}
     * @param served at most the grant; 0 after {@link #reserve} if certainly no byte was written
     */
    public void charge(long now, long served) {
        scheduler.charge(this, now, served);
    }

    /** Reports that the source, shared by all guests, had no bytes for a grant. */
    public void sourceStarved(long now) {
        scheduler.sourceStarved(this, now);
    }

    /** Reports that the guest can see everything charged so far. */
    public void commit(long now) {
        scheduler.commit(now);
    }

    /** Reports that the guest no longer waits. The flow stays active. */
    public void stopWaiting(long now) {
        scheduler.stopWaiting(this, now);
    }

    /** Called when the ring is disabled: other guests no longer wait for this one. */
    public void deactivate() {
        scheduler.deactivate(this);
    }
}
