package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.transport.counters.CounterSlot;

/**
 * Writes the counters of a guest to the counters file: those of {@link RngCounters}, and others that this class counts.
 * A request is counted before the driver can see its used buffer. Confined to the loop's thread.
 */
final class PublishedRngCounters {
    private static final long NOT_WAITING = -1;
    private static final int SOURCE_SERVES = 1;
    private static final int SOURCE_HAS_NO_BYTES = 2;
    private static final int SOURCE_HAS_FAILED = 3;

    private final CounterSlot slot;
    private final RngCounters counters;
    private final GuestRateLimiter rateLimiter;
    private final LatencyHistogram latency;
    /** CLOCK_REALTIME minus the loop's time, in nanoseconds. */
    private long realtimeOffset;

    private int sourceState;
    private long throttledSince = NOT_WAITING;
    private long starvedSince = NOT_WAITING;

    /** Creates an instance that continues the counters in the slot. */
    PublishedRngCounters(CounterSlot slot, RngCounters counters, GuestRateLimiter rateLimiter) {
        this.slot = slot;
        this.counters = counters;
        this.rateLimiter = rateLimiter;
        this.latency = new LatencyHistogram(slot);
        counters.raiseTo(new RngCounts(
                get(GuestCounterField.REQUESTS),
                get(GuestCounterField.BYTES),
                get(GuestCounterField.THROTTLED),
                get(GuestCounterField.STARVED),
                get(GuestCounterField.FAULTS)));
    }

    void kicked() {
        add(GuestCounterField.KICKS, 1);
    }

    void interrupted() {
        add(GuestCounterField.INTERRUPTS, 1);
    }

    /**
     * Records that a session has begun.
     *
     * @param continued whether a previous process began the session, and counted it
     */
    void sessionBegan(boolean continued, long now) {
        set(GuestCounterField.CONNECTED, 1);
        if (!continued) {
            add(GuestCounterField.SESSIONS, 1);
            set(GuestCounterField.LAST_SESSION, now + realtimeOffset);
        }
    }

    void sessionEnded() {
        publish();
        set(GuestCounterField.CONNECTED, 0);
        waitEnded();
    }

    void throttled(long now) {
        set(GuestCounterField.THROTTLED, counters.throttledCount());
        if (throttledSince == NOT_WAITING) {
            throttledSince = now;
        }
    }

    void starved(long now) {
        set(GuestCounterField.STARVED, counters.starvedCount());
        if (starvedSince == NOT_WAITING) {
            starvedSince = now;
        }
    }

    /** Records the state of the source, from the result of {@link EntropySource#fill}. */
    void sourceAnswered(int filled) {
        if (filled > 0) {
            sourceState(SOURCE_SERVES);
        } else if (filled == EntropySource.WOULD_BLOCK) {
            sourceState(SOURCE_HAS_NO_BYTES);
        } else if (filled == EntropySource.FAILED) {
            sourceState(SOURCE_HAS_FAILED);
        }
    }

    private void sourceState(int state) {
        if (state != sourceState) {
            sourceState = state;
            set(GuestCounterField.SOURCE_STATE, state);
        }
    }

    /** Records that a request is served, which ends its wait if it has waited. */
    void served(long now) {
        if (throttledSince != NOT_WAITING || starvedSince != NOT_WAITING) {
            countWait(now);
            waitEnded();
        }
    }

    /** Records that no request waits any more. Does not count the waiting time since the last {@link #refresh}. */
    void waitEnded() {
        throttledSince = NOT_WAITING;
        starvedSince = NOT_WAITING;
    }

    private void countWait(long now) {
        if (throttledSince != NOT_WAITING) {
            add(GuestCounterField.THROTTLED_TIME, now - throttledSince);
            throttledSince = now;
        }
        if (starvedSince != NOT_WAITING) {
            add(GuestCounterField.STARVED_TIME, now - starvedSince);
            starvedSince = now;
        }
    }

    void faulted(RngFaultKind kind) {
        set(GuestCounterField.FAULTS, counters.faults());
        slot.set(kind.field(), slot.get(kind.field()) + 1);
    }

    /** Writes the served requests and bytes. Must be called before the driver can see the used buffers. */
    void publishServed(long now) {
        set(GuestCounterField.REQUESTS, counters.requests());
        set(GuestCounterField.BYTES, counters.bytes());
        set(GuestCounterField.LAST_REQUEST, now + realtimeOffset);
    }

    /** Writes all counters of {@link RngCounters}. */
    private void publish() {
        set(GuestCounterField.REQUESTS, counters.requests());
        set(GuestCounterField.BYTES, counters.bytes());
        set(GuestCounterField.THROTTLED, counters.throttledCount());
        set(GuestCounterField.STARVED, counters.starvedCount());
        set(GuestCounterField.FAULTS, counters.faults());
    }

    /**
     * Records the latency of the requests of a drain.
     *
     * @param nanos the time from the start of the drain until its used buffers were visible to the driver
     */
    void completed(long requests, long nanos) {
        latency.record(requests, nanos);
    }

    /**
     * Writes the fields that change without a request, such as waiting times and limits.
     *
     * @param now the loop's time in nanoseconds
     * @param realtimeNow the same instant in nanoseconds since 1970
     */
    void refresh(long now, long realtimeNow) {
        realtimeOffset = realtimeNow - now;
        countWait(now);
        publish();
        RateLimitConfig limits = rateLimiter.config();
        boolean limited = limits.maxBytes() != GuestRateLimiter.UNLIMITED;
        boolean limitedOps = limits.ops() != GuestRateLimiter.UNLIMITED;
        set(GuestCounterField.LIMIT_BYTES, limited ? limits.maxBytes() : 0);
        set(GuestCounterField.LIMIT_REQUESTS, limitedOps ? limits.ops() : 0);
        set(GuestCounterField.LIMIT_PERIOD, limited || limitedOps ? limits.periodMillis() * 1_000_000L : 0);
        set(GuestCounterField.LIMIT_BYTES_LEFT, limited ? rateLimiter.bytesLeft(now) : 0);
    }

    private long get(GuestCounterField field) {
        return slot.get(field.index());
    }

    private void set(GuestCounterField field, long value) {
        slot.set(field.index(), value);
    }

    private void add(GuestCounterField field, long amount) {
        slot.set(field.index(), slot.get(field.index()) + amount);
    }
}
