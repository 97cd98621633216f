package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/**
 * The counters of a guest and the usage of its rate limits, in memory that outlives this process: five u64 counters,
 * then the usage at offset 64. Contains no random bytes. Confined to the loop's thread.
 */
final class PersistedRngState {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long REQUESTS = 0;
    private static final long BYTES = 8;
    private static final long THROTTLED = 16;
    private static final long STARVED = 24;
    private static final long FAULTS = 32;
    private static final long LIMITS = 64;

    private final MemorySegment memory;
    private final RngCounters counters;
    private final GuestRateLimiter rateLimiter;
    private final long clockOffset;

    /**
     * Creates an instance. Does not access the memory yet.
     *
     * @param clockOffset CLOCK_MONOTONIC minus the loop's time, in nanoseconds
     */
    PersistedRngState(MemorySegment memory, RngCounters counters, GuestRateLimiter rateLimiter, long clockOffset) {
        this.memory = memory;
        this.clockOffset = clockOffset;
        this.counters = counters;
        this.rateLimiter = rateLimiter;
    }

    /** Continues from the state that a previous process left. */
    void resume(long now) {
        counters.raiseTo(new RngCounts(
                memory.get(LONG, REQUESTS),
                memory.get(LONG, BYTES),
                memory.get(LONG, THROTTLED),
                memory.get(LONG, STARVED),
                memory.get(LONG, FAULTS)));
        rateLimiter.resume(now, memory, LIMITS, clockOffset);
    }

    /** Writes the state. Must be called after bytes are charged, before the device writes them to guest memory. */
    void write() {
        memory.set(LONG, REQUESTS, counters.requests());
        memory.set(LONG, BYTES, counters.bytes());
        memory.set(LONG, THROTTLED, counters.throttledCount());
        memory.set(LONG, STARVED, counters.starvedCount());
        memory.set(LONG, FAULTS, counters.faults());
        if (rateLimiter.isLimited()) {
            rateLimiter.keep(memory, LIMITS, clockOffset);
        }
        VarHandle.releaseFence();
    }
}
