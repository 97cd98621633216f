package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.limiter.DrrGuestFlow.WaitReason;

/**
 * Divides a total rate limit, or the bytes of a slow source, among the guests by weight, regardless of the number and
 * size of their requests.
 *
 * <p>Deficit round robin (M. Shreedhar and G. Varghese, "Efficient Fair Queuing using Deficit Round Robin", 1995): in
 * each round, each active flow may use a quantum of bytes that is proportional to its weight. A round ends when all
 * active flows have used their quanta. Unlike a packet queue, a guest makes its next request only some time after the
 * previous one was served. Therefore a flow stays active for an idle timeout after each request, and flows that have
 * used their quantum wait for it. The other guests get the part of a guest's share that it does not use. Without
 * contention, no flow waits and no bytes are counted.
 *
 * <p>A flow with a guaranteed minimum is served before the others until it has received this minimum. The current time
 * is always a parameter in nanoseconds, and must never decrease. Confined to one thread.
 */
public final class DeficitRoundRobin {
    /** Size of the memory of {@link #persistIn} in bytes. */
    public static final int PERSISTED_BYTES = ChecksummedRecord.bytes(RateLimiter.PERSISTED_BYTES / Long.BYTES);

    private static final long MIN_QUANTUM = RateLimiter.TYPICAL_REQUEST_BYTES;
    private static final long MAX_QUANTUM = 4096;
    private static final long QUANTA_PER_PERIOD = 4096;

    /**
     * Time after its last request for which a flow stays active: longer than a driver needs to make its next request,
     * which is a few interrupt latencies.
     */
    private static final long IDLE_TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    /** Time for which the source counts as starved after it had no bytes. */
    private static final long STARVED_HOLD_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /**
     * Time without a served flow after which a waiting flow starts the next round, so that a guest that does not use
     * its quantum cannot block the others.
     */
    private static final long TURN_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Runnable onRoundStart;
    private final Set<DrrGuestFlow> flows = new LinkedHashSet<>();
    private RateLimitConfig limits;
    private RateLimiter total;
    private boolean limited;
    private long quantum;

    /** Memory for the usage of the total, which outlives this process; null if there is none. */
    private ChecksummedRecord kept;

    private long clockOffset;

    private long round;
    private int activeFlows;
    /** Number of active flows that have not used their quantum in this round. */
    private int flowsWithDeficit;

    private int awaitingRound;
    /** Number of flows that were notified at the start of this round, and have not requested bytes since. */
    private int notifiedWaiters;

    private int awaitingTotal;
    private int awaitingSource;
    private int awaitingGuaranteed;
    private long starvedUntil = -1;
    private long servedAt;
    /** Linked list of active flows that do not wait, ordered by the time of their last request. */
    private DrrGuestFlow firstActive;

    private DrrGuestFlow lastActive;

    /**
     * Creates a scheduler without flows.
     *
     * @param total the rate limit of all guests together; {@link RateLimitConfig#NONE} for no limit
     * @param onRoundStart called on the caller's thread when waiting guests must call {@link DrrGuestFlow#grant} again
     */
    public DeficitRoundRobin(RateLimitConfig total, Runnable onRoundStart) {
        apply(total);
        this.onRoundStart = onRoundStart;
    }

    private void apply(RateLimitConfig newLimits) {
        limits = newLimits;
        total = limits.newBytesLimit();
        limited = limits.maxBytes() != GuestRateLimiter.UNLIMITED;
        quantum = limited ? Math.clamp(limits.maxBytes() / QUANTA_PER_PERIOD, MIN_QUANTUM, MAX_QUANTUM) : MIN_QUANTUM;
    }

    /** The current total rate limit. */
    public RateLimitConfig total() {
        return limits;
    }

    /**
     * Changes the total rate limit, and notifies all waiting guests. Must be called between two requests, as
     * {@link GuestRateLimiter#setConfig}.
     */
    public void setTotal(long now, RateLimitConfig newTotal) {
        if (newTotal.equals(limits)) {
            return;
        }
        RateLimiter oldTotal = total;
        apply(newTotal);
        total.replace(now, oldTotal);
        keep();
        flows.forEach(flow -> configure(flow, now, flow.config));
        onRoundStart.run();
    }

    /** Adds the flow of a guest. */
    public DrrGuestFlow addFlow(DrrGuestConfig config) {
        DrrGuestFlow flow = new DrrGuestFlow(this);
        flow.config = config;
        flow.quantum = quantum * config.weight();
        flow.guarantee = newGuarantee(config);
        flows.add(flow);
        return flow;
    }

    private RateLimiter newGuarantee(DrrGuestConfig config) {
        return config.minBytes() == 0
                ? null
                : TokenBucket.withoutSlack(config.minBytes(), TimeUnit.MILLISECONDS.toNanos(limits.periodMillis()));
    }

    void setConfig(DrrGuestFlow flow, long now, DrrGuestConfig config) {
        if (!config.equals(flow.config)) {
            configure(flow, now, config);
            onRoundStart.run();
        }
    }

    private void configure(DrrGuestFlow flow, long now, DrrGuestConfig config) {
        RateLimiter oldGuarantee = flow.guarantee;
        flow.config = config;
        flow.quantum = quantum * config.weight();
        flow.guarantee = newGuarantee(config);
        if (flow.guarantee != null && oldGuarantee != null) {
            flow.guarantee.replace(now, oldGuarantee);
        }
    }

    void remove(DrrGuestFlow flow) {
        deactivate(flow);
        flows.remove(flow);
    }

    /**
     * Sets the memory, which outlives this process, that contains the usage of the total rate limit from now on. It is
     * written before a guest can see the bytes that were charged. Guaranteed minimums are not kept: they only determine
     * the order of the guests within the total. Returns false if the memory is damaged: then the usage is that before
     * the last change, or none.
     *
     * @param memory {@link #PERSISTED_BYTES} bytes
     * @param continued true if the memory contains the usage that a previous process left, possibly with another limit;
     *     false to overwrite the memory
     * @param now the current time of this object's clock
     * @param monotonicNow the same instant in nanoseconds by CLOCK_MONOTONIC, which is the same in all processes of the
     *     host
     */
    public boolean persistIn(MemorySegment memory, boolean continued, long now, long monotonicNow) {
        kept = new ChecksummedRecord(memory, RateLimiter.PERSISTED_BYTES / Long.BYTES);
        clockOffset = monotonicNow - now;
        if (!continued) {
            memory.fill((byte) 0);
        }
        boolean damaged = kept.open() == ChecksummedRecord.Content.DAMAGED;
        if (kept.latest() != null) {
            total.resume(now, kept.latest(), ChecksummedRecord.WORDS, clockOffset);
        }
        keep();
        return !damaged;
    }

    private void keep() {
        if (kept != null) {
            total.keep(kept.begin(), ChecksummedRecord.WORDS, clockOffset);
            kept.commit();
        }
    }

    boolean isLimited() {
        return limited;
    }

    boolean isContended(long now) {
        return limited || isSourceStarved(now);
    }

    private boolean isSourceStarved(long now) {
        return awaitingSource > 0 || now < starvedUntil;
    }

    long grantUnlimited(DrrGuestFlow flow, long wanted) {
        clearWaiting(flow);
        return wanted;
    }

    long grant(DrrGuestFlow flow, long now, long wanted) {
        boolean uncontended = !isSourceStarved(now) && total.isFull(now);
        boolean timedOut = flow.waitingFor == WaitReason.ROUND
                && now - Math.max(servedAt, flow.waitingForRoundSince) >= TURN_TIMEOUT_NANOS;
        if (flow.waitingFor != WaitReason.ROUND || timedOut) {
            flow.waitingForRoundSince = now;
        }
        clearWaiting(flow);
        deactivateIdleFlows(now);
        if (timedOut) {
            nextRound();
        }
        activate(flow, now);
        if (uncontended && flow.deficit <= 0 && notifiedWaiters == 0) {
            // Starts a new round: the flows with an unused quantum request too little to use the total, whose further
            // tokens would be lost.
            nextRound();
            activate(flow, now);
        }
        long guaranteed = flow.guarantee == null ? 0 : flow.guarantee.available(now, wanted);
        long max = Math.max(guaranteed, remainingInRound(flow, wanted));
        if (max == 0) {
            awaitRound(flow, wanted);
            return 0;
        }
        long granted = total.available(now, max);
        if (granted == 0) {
            markGuaranteePending(flow, guaranteed > 0);
            await(flow, WaitReason.TOTAL, total.nextGrantTime(guaranteed > 0 ? max : Math.max(max, forAllWaiting())));
        }
        return granted;
    }

    /**
     * Returns the number of bytes that a flow may still receive in this round; 0 while a flow waits for its guaranteed
     * minimum.
     */
    private long remainingInRound(DrrGuestFlow flow, long wanted) {
        if (awaitingGuaranteed > 0 || flow.deficit <= 0) {
            return 0;
        }
        // A grant may exceed the deficit, to avoid grants of a few bytes. The excess is charged to the next round.
        return Math.min(wanted, Math.max(flow.deficit, MIN_QUANTUM));
    }

    /**
     * Returns the number of tokens to wait for: enough for all flows that wait for the total, so that they do not all
     * wake up when there are tokens for only one of them.
     */
    private long forAllWaiting() {
        return Math.min(awaitingTotal * MIN_QUANTUM, total.minGrant(GuestRateLimiter.UNLIMITED) / 2);
    }

    void reserve(DrrGuestFlow flow, long now, long granted) {
        total.charge(now, granted);
        keep();
        flow.reserved = granted;
    }

    void charge(DrrGuestFlow flow, long now, long served) {
        if (flow.reserved == 0) {
            reserve(flow, now, served);
        }
        total.refund(flow.reserved - served);
        keep();
        flow.reserved = 0;
        if (served == 0) {
            return;
        }
        servedAt = now;
        if (flow.guarantee != null) {
            flow.guarantee.charge(now, Math.min(served, flow.guarantee.tokens(now)));
        }
        if (flow.active) {
            boolean wasFinished = flow.deficit <= 0;
            flow.deficit = Math.max(flow.deficit - served, -flow.quantum);
            if (!wasFinished && flow.deficit <= 0) {
                finishTurn();
            }
        }
    }

    void commit(long now) {
        total.commit(now);
        keep();
    }

    void sourceStarved(DrrGuestFlow flow, long now) {
        starvedUntil = now + STARVED_HOLD_NANOS;
        clearWaiting(flow);
        activate(flow, now);
        await(flow, WaitReason.SOURCE, DrrGuestFlow.NEVER);
    }

    void stopWaiting(DrrGuestFlow flow, long now) {
        if (flow.waitingFor != WaitReason.NONE) {
            clearWaiting(flow);
            activate(flow, now);
        }
    }

    void deactivate(DrrGuestFlow flow) {
        flow.retryAt = DrrGuestFlow.NEVER;
        clearWaiting(flow);
        removeFromActive(flow);
    }

    // --- rounds ----------------------------------------------------------------------------------------------------

    private void activate(DrrGuestFlow flow, long now) {
        if (!flow.active) {
            flow.active = true;
            activeFlows++;
            // A flow that becomes active again in the same round keeps its deficit, so that a pause does not give it a
            // second quantum.
            if (flow.round != round || flow.deficit > 0) {
                flowsWithDeficit++;
            }
        } else {
            unlink(flow);
        }
        link(flow, now);
        while (flow.round != round) {
            flow.round = round;
            // Keeps an unused deficit of at most one quantum if the previous round ended early.
            flow.deficit = Math.min(flow.deficit, flow.quantum) + flow.quantum;
            if (flow.deficit <= 0) {
                finishTurn();
            }
        }
    }

    private void removeFromActive(DrrGuestFlow flow) {
        if (!flow.active) {
            return;
        }
        unlink(flow);
        flow.active = false;
        activeFlows--;
        if (flow.round != round || flow.deficit > 0) {
            finishTurn();
        }
    }

    private void finishTurn() {
        flowsWithDeficit--;
        if (flowsWithDeficit == 0) {
            nextRound();
        }
    }

    private void nextRound() {
        round++;
        flowsWithDeficit = activeFlows;
        notifiedWaiters = awaitingRound;
        notifyRoundWaiters();
    }

    // --- waiting ---------------------------------------------------------------------------------------------------

    private void awaitRound(DrrGuestFlow flow, long wanted) {
        unlink(flow);
        long nextIdleAt = firstActive == null ? DrrGuestFlow.NEVER : firstActive.lastRequestAt + IDLE_TIMEOUT_NANOS;
        long guaranteeAt = flow.guarantee == null ? DrrGuestFlow.NEVER : flow.guarantee.nextGrantTime(wanted);
        await(flow, WaitReason.ROUND, Math.min(nextIdleAt, guaranteeAt));
    }

    private void await(DrrGuestFlow flow, WaitReason reason, long retryAt) {
        unlink(flow);
        flow.waitingFor = reason;
        flow.retryAt = retryAt;
        count(reason, 1);
    }

    private void markGuaranteePending(DrrGuestFlow flow, boolean covered) {
        if (covered) {
            flow.guaranteePending = true;
            awaitingGuaranteed++;
        }
    }

    private void clearWaiting(DrrGuestFlow flow) {
        if (flow.waitingFor == WaitReason.ROUND && flow.round != round) {
            notifiedWaiters--;
        }
        count(flow.waitingFor, -1);
        flow.waitingFor = WaitReason.NONE;
        if (flow.guaranteePending) {
            flow.guaranteePending = false;
            awaitingGuaranteed--;
            if (awaitingGuaranteed == 0) {
                notifyRoundWaiters();
            }
        }
    }

    private void count(WaitReason reason, int difference) {
        switch (reason) {
            case ROUND -> awaitingRound += difference;
            case TOTAL -> awaitingTotal += difference;
            case SOURCE -> awaitingSource += difference;
            case NONE -> {
                // Flows that do not wait are not counted.
            }
        }
    }

    private void notifyRoundWaiters() {
        if (awaitingRound > 0) {
            onRoundStart.run();
        }
    }

    // --- active flows that do not wait -----------------------------------------------------------------------------

    private void deactivateIdleFlows(long now) {
        while (firstActive != null && now >= firstActive.lastRequestAt + IDLE_TIMEOUT_NANOS) {
            removeFromActive(firstActive);
        }
    }

    private void link(DrrGuestFlow flow, long now) {
        flow.lastRequestAt = now;
        flow.previousActive = lastActive;
        if (lastActive == null) {
            firstActive = flow;
        } else {
            lastActive.nextActive = flow;
        }
        lastActive = flow;
    }

    /** Removes a flow from the list. Does nothing for a flow that waits, which is not in the list. */
    private void unlink(DrrGuestFlow flow) {
        if (flow.previousActive != null) {
            flow.previousActive.nextActive = flow.nextActive;
        } else if (firstActive == flow) {
            firstActive = flow.nextActive;
        } else {
            return;
        }
        if (flow.nextActive != null) {
            flow.nextActive.previousActive = flow.previousActive;
        } else {
            lastActive = flow.previousActive;
        }
        flow.previousActive = null;
        flow.nextActive = null;
    }
}
