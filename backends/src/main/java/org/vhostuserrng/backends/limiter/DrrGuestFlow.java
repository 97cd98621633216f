package org.vhostuserrng.backends.limiter;

/**
 * The flow of one guest in a {@link DeficitRoundRobin}, which outlives the guest's sessions. Only the scheduler uses
 * the fields. They are stored here so that scheduling does not allocate. Confined to the scheduler's thread.
 */
public final class DrrGuestFlow {
    /** Returned by {@link #retryAt} if no time is known. */
    public static final long NEVER = Long.MAX_VALUE;

    /** The reason why a flow waits. */
    enum WaitReason {
        NONE,
        /** The flow waits for the next round. */
        ROUND,
        /** The flow waits for the total rate limit. */
        TOTAL,
        /** The flow waits for bytes of the source. */
        SOURCE
    }

    final DeficitRoundRobin scheduler;
    DrrGuestConfig config;
    /** Number of bytes that the flow may use per round. */
    long quantum;
    /** The guaranteed minimum, which is served before other flows; null if there is none. */
    RateLimiter guarantee;

    /** Whether the flow takes part in the current round: it waits, or made a request less than the idle timeout ago. */
    boolean active;
    /** The last round in which the flow was active. */
    long round = -1;
    /** Number of bytes that the flow may still receive in {@link #round}; 0 or less if it has used its quantum. */
    long deficit;

    /** Number of bytes of the last {@link #reserve}; 0 after its {@link #charge}. */
    long reserved;

    WaitReason waitingFor = WaitReason.NONE;
    /** Whether the flow waits for the total although its guaranteed minimum covers the request. */
    boolean guaranteePending;

    long retryAt;
    /** The time since which the flow waits for the next round. */
    long waitingForRoundSince;

    long lastRequestAt;
    /**
     * The previous and the next flow in the list of active flows that do not wait, ordered by {@link #lastRequestAt}.
     */
    DrrGuestFlow previousActive;

    DrrGuestFlow nextActive;

    DrrGuestFlow(DeficitRoundRobin scheduler) {
        this.scheduler = scheduler;
    }

    /** The current share. */
    public DrrGuestConfig config() {
        return config;
    }

    /** Changes the share. Must be called between two requests. */
    public void setConfig(long now, DrrGuestConfig newConfig) {
        scheduler.setConfig(this, now, newConfig);
    }

    /** Removes the flow of a guest whose virtqueue has stopped. */
    public void remove() {
        scheduler.remove(this);
    }

    /** Returns whether there is a total rate limit, so that {@link #commit} must be called. */
    public boolean isLimited() {
        return scheduler.isLimited();
    }

    /**
     * Returns the number of bytes that a request may receive now.
     *
     * @param wanted number of bytes that the request wants, at least 1
     * @return 1 to {@code wanted}; 0 if the request must wait: call again when the scheduler notifies its waiters, at
     *     {@link #retryAt} at the latest
     */
    public long grant(long now, long wanted) {
        return scheduler.isContended(now) ? scheduler.grant(this, now, wanted) : scheduler.grantUnlimited(this, wanted);
    }

    /**
     * Returns whether the last {@link #grant} returned 0 because of the total rate limit, not because the source is
     * starved.
     */
    public boolean isThrottledByTotal() {
        return waitingFor != WaitReason.SOURCE && scheduler.isLimited();
    }

    /** The latest time at which to call {@link #grant} again after it has returned 0, or {@link #NEVER}. */
    public long retryAt() {
        return retryAt;
    }

    /**
     * Charges a request to the total before it is served, as if the request received its whole grant. Only
     * {@link #charge} refunds unused bytes.
     *
     * @param now the time passed to {@link #grant}
     * @param granted number of bytes, 1 to the grant
     */
    public void reserve(long now, long granted) {
        scheduler.reserve(this, now, granted);
    }

    /**
     * Charges the bytes of a request that was served, and refunds the rest of its {@link #reserve}.
     *
     * @param now the time passed to {@link #grant}
     * @param served number of bytes, at most the grant; 0 after {@link #reserve} if certainly no byte was written
     */
    public void charge(long now, long served) {
        scheduler.charge(this, now, served);
    }

    /** Reports that the source, which all guests share, had no bytes for a grant. */
    public void sourceStarved(long now) {
        scheduler.sourceStarved(this, now);
    }

    /** Reports that the guest can see everything charged so far. */
    public void commit(long now) {
        scheduler.commit(now);
    }

    /** Reports that the guest does not wait any more. The flow stays active until the idle timeout. */
    public void stopWaiting(long now) {
        scheduler.stopWaiting(this, now);
    }

    /** Deactivates the flow, so that other guests do not wait for it. Must be called when the ring is disabled. */
    public void deactivate() {
        scheduler.deactivate(this);
    }
}
