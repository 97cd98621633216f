package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.limiter.ChecksummedRecord;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/**
 * The counters of a guest, the usage of its rate limits, and whether it is paused, in memory that outlives this
 * process: a {@link ChecksummedRecord} at offset 128, with five u64 counters, u64 flags (1: paused) and the usage.
 * Earlier releases wrote the counters at offset 0 and the usage at offset 64, without a check value. Contains no random
 * bytes. Confined to the loop's thread.
 */
final class PersistedRngState {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long REQUESTS = 0;
    private static final long BYTES = 8;
    private static final long THROTTLED = 16;
    private static final long STARVED = 24;
    private static final long FAULTS = 32;
    private static final long FLAGS = 40;
    private static final long PAUSED = 1;
    private static final long LIMITS = 48;
    private static final long LIMITS_OF_EARLIER_RELEASES = 64;
    private static final long RECORD = 128;
    private static final int WORDS = (int) (LIMITS + GuestRateLimiter.PERSISTED_BYTES) / Long.BYTES;

    private final MemorySegment memory;
    private final ChecksummedRecord record;
    private final RngCounters counters;
    private final GuestRateLimiter rateLimiter;
    private final long clockOffset;
    private boolean paused;

    /**
     * Creates an instance. Does not access the memory yet.
     *
     * @param clockOffset CLOCK_MONOTONIC minus the loop's time, in nanoseconds
     */
    PersistedRngState(MemorySegment memory, RngCounters counters, GuestRateLimiter rateLimiter, long clockOffset) {
        this.memory = memory;
        this.record = new ChecksummedRecord(memory.asSlice(RECORD, ChecksummedRecord.bytes(WORDS)), WORDS);
        this.clockOffset = clockOffset;
        this.counters = counters;
        this.rateLimiter = rateLimiter;
    }

    /**
     * Continues from the state that a previous process left. Returns false if it is damaged: then continues from the
     * state before the last write, or from none.
     */
    boolean resume(long now) {
        ChecksummedRecord.Content content = record.open();
        if (record.latest() != null) {
            resume(now, record.latest(), ChecksummedRecord.WORDS, ChecksummedRecord.WORDS + LIMITS);
            paused = (record.latest().get(LONG, ChecksummedRecord.WORDS + FLAGS) & PAUSED) != 0;
        } else if (content == ChecksummedRecord.Content.NONE) {
            resume(now, memory, 0, LIMITS_OF_EARLIER_RELEASES);
        }
        return content != ChecksummedRecord.Content.DAMAGED;
    }

    private void resume(long now, MemorySegment from, long counts, long limits) {
        counters.raiseTo(new RngCounts(
                from.get(LONG, counts + REQUESTS),
                from.get(LONG, counts + BYTES),
                from.get(LONG, counts + THROTTLED),
                from.get(LONG, counts + STARVED),
                from.get(LONG, counts + FAULTS)));
        rateLimiter.resume(now, from, limits, clockOffset);
    }

    /** Whether the guest is paused. {@link #write} writes it. */
    boolean isPaused() {
        return paused;
    }

    void setPaused(boolean nowPaused) {
        paused = nowPaused;
    }

    /** Discards the state that the memory contains. */
    void clear() {
        memory.asSlice(RECORD, ChecksummedRecord.bytes(WORDS)).fill((byte) 0);
    }

    /** Writes the state. Must be called after bytes are charged, before the device writes them to guest memory. */
    void write() {
        MemorySegment copy = record.begin();
        copy.set(LONG, ChecksummedRecord.WORDS + REQUESTS, counters.requests());
        copy.set(LONG, ChecksummedRecord.WORDS + BYTES, counters.bytes());
        copy.set(LONG, ChecksummedRecord.WORDS + THROTTLED, counters.throttledCount());
        copy.set(LONG, ChecksummedRecord.WORDS + STARVED, counters.starvedCount());
        copy.set(LONG, ChecksummedRecord.WORDS + FAULTS, counters.faults());
        copy.set(LONG, ChecksummedRecord.WORDS + FLAGS, paused ? PAUSED : 0);
        if (rateLimiter.isLimited()) {
            rateLimiter.keep(copy, ChecksummedRecord.WORDS + LIMITS, clockOffset);
        }
        record.commit();
    }
}
