package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;

/**
 * The rate limits of one guest: bytes and requests per period, and a one-time burst. They outlive the guest's sessions.
 * The current time is always a parameter in nanoseconds, and must never decrease. Confined to one thread.
 */
public final class GuestRateLimiter {
    /** The value for no limit, which is also the default and the maximum of QEMU's max-bytes. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /** Size of the state that {@link #keep} writes, in bytes. */
    public static final int PERSISTED_BYTES = Long.BYTES + 2 * RateLimiter.PERSISTED_BYTES;
    /** Maximum period in milliseconds, which is also the maximum and the default of QEMU's period. */
    public static final int MAX_PERIOD_MILLIS = 65536;

    /**
     * The usage of the limits, which migrates with the guest.
     *
     * @param bytes number of bytes charged in the current period, at least 0
     * @param ops number of requests charged in the current period, at least 0
     * @param burst number of bytes of the burst that were used, at least 0
     */
    public record LimiterUsage(long bytes, long ops, long burst) {}

    private RateLimitConfig config;
    private boolean limited;
    private RateLimiter bytes;
    private RateLimiter ops;
    private long burstCapacity;
    private long burst;
    /** Number of bytes that were used of the bursts of earlier limits, beyond the current burst. */
    private long earlierBurst;

    private long nextGrantTime;
    /**
     * Number of bytes of the last {@link #reserve}, and how many of them the burst covers; 0 after its {@link #charge}.
     */
    private long reserved;

    private long reservedOfBurst;

    /** Creates a limiter with unused limits and an unused burst. */
    public GuestRateLimiter(RateLimitConfig config) {
        apply(config);
        burst = burstCapacity;
    }

    private void apply(RateLimitConfig newConfig) {
        config = newConfig;
        limited = config.maxBytes() != UNLIMITED || config.ops() != UNLIMITED;
        bytes = config.newBytesLimit();
        ops = config.newOpsLimit();
        burstCapacity = config.maxBytes() == UNLIMITED ? 0 : config.burst();
    }

    /** The current limits. */
    public RateLimitConfig config() {
        return config;
    }

    /**
     * Changes the limits. Must be called between two requests. Usage is not reset: in any period, the guest gets at
     * most the largest of the limits that were in effect during the period, and a burst is granted only once.
     *
     * @param now the current time, not before the last commit
     */
    public void setConfig(long now, RateLimitConfig newConfig) {
        if (newConfig.equals(config)) {
            return;
        }
        RateLimiter oldBytes = bytes;
        RateLimiter oldOps = ops;
        long usedBurst = earlierBurst + burstCapacity - burst;
        apply(newConfig);
        bytes.replace(now, oldBytes);
        ops.replace(now, oldOps);
        burst = Math.max(0, burstCapacity - usedBurst);
        earlierBurst = usedBurst - (burstCapacity - burst);
    }

    /** Creates a limiter with the limits of {@link RateLimitConfig#ofBytes}. */
    public GuestRateLimiter(RateLimitMode mode, long maxBytes, int periodMillis) {
        this(RateLimitConfig.ofBytes(mode, maxBytes, periodMillis));
    }

    /** Returns the number of bytes that the guest may receive now; {@link #UNLIMITED} without a limit of bytes. */
    public long bytesLeft(long now) {
        return config.maxBytes() == UNLIMITED ? UNLIMITED : bytes.tokens(now) + burst;
    }

    /** Returns whether there is any limit. Without a limit, {@link #charge} and {@link #commit} need not be called. */
    public boolean isLimited() {
        return limited;
    }

    /**
     * Returns the number of bytes that a request may receive now. Returns 0 rather than a few of the wanted bytes.
     *
     * @param wanted number of bytes that the request wants, at least 1
     * @return 1 to {@code wanted}; 0 if the request must wait until {@link #nextGrantTime}
     */
    public long grant(long now, long wanted) {
        if (!limited) {
            return wanted;
        }
        if (ops.available(now, 1) == 0) {
            nextGrantTime = ops.nextGrantTime(1);
            return 0;
        }
        long granted = bytes.available(now, wanted);
        if (granted < wanted && burst > 0) {
            long tokens = bytes.tokens(now);
            granted = tokens + Math.min(burst, wanted - tokens);
        }
        if (granted == 0) {
            nextGrantTime = bytes.nextGrantTime(wanted);
        }
        return granted;
    }

    /**
     * Charges a request before it is served, as if it received its whole grant. Only {@link #charge} refunds unused
     * bytes.
     *
     * @param now the time passed to {@link #grant}
     * @param granted number of bytes, 1 to the grant
     */
    public void reserve(long now, long granted) {
        long regular = Math.min(granted, bytes.tokens(now));
        reserved = granted;
        reservedOfBurst = granted - regular;
        burst -= reservedOfBurst;
        bytes.charge(now, regular);
        ops.charge(now, 1);
    }

    /**
     * Charges a request that was served, and refunds the rest of its {@link #reserve}.
     *
     * @param now the time passed to {@link #grant}
     * @param served number of bytes, at most the grant; 0 after {@link #reserve} if certainly no byte was written
     */
    public void charge(long now, long served) {
        if (reserved == 0) {
            reserve(now, served);
        }
        long unused = reserved - served;
        long ofBurst = Math.min(unused, reservedOfBurst);
        burst += ofBurst;
        bytes.refund(unused - ofBurst);
        if (served == 0) {
            ops.refund(1);
        }
        reserved = 0;
    }

    /**
     * Commits everything that was charged so far: the guest can see it from now on. The period of these charges starts
     * now.
     */
    public void commit(long now) {
        bytes.commit(now);
        ops.commit(now);
    }

    /** The time at which to call {@link #grant} again after it has returned 0. */
    public long nextGrantTime() {
        return nextGrantTime;
    }

    /**
     * Writes the usage of the limits to memory that outlives this process: {@link #PERSISTED_BYTES} at {@code offset}.
     *
     * @param clockOffset CLOCK_MONOTONIC minus this object's time, in nanoseconds
     */
    public void keep(MemorySegment memory, long offset, long clockOffset) {
        memory.set(RateLimiter.PERSISTED_LONG, offset, burst);
        bytes.keep(memory, offset + Long.BYTES, clockOffset);
        ops.keep(memory, offset + Long.BYTES + RateLimiter.PERSISTED_BYTES, clockOffset);
    }

    /**
     * Continues from the usage that a previous process wrote, possibly with other limits.
     *
     * @param clockOffset CLOCK_MONOTONIC minus {@code now}, in nanoseconds
     */
    public void resume(long now, MemorySegment memory, long offset, long clockOffset) {
        burst = Math.clamp(memory.get(RateLimiter.PERSISTED_LONG, offset), 0, burstCapacity);
        bytes.resume(now, memory, offset + Long.BYTES, clockOffset);
        ops.resume(now, memory, offset + Long.BYTES + RateLimiter.PERSISTED_BYTES, clockOffset);
    }

    /** Returns the usage of the limits. */
    public LimiterUsage usage(long now) {
        return new LimiterUsage(bytes.used(now), ops.used(now), burstCapacity - burst);
    }

    /** Charges the usage from another host, as if it had occurred now. */
    public void restoreUsage(long now, LimiterUsage migrated) {
        bytes.restore(now, migrated.bytes());
        ops.restore(now, migrated.ops());
        burst -= Math.min(burst, migrated.burst());
    }
}
