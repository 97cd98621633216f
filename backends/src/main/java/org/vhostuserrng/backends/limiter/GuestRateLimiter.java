package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;

/**
 * The rate limits of one guest: bytes and requests per period, and a one-time burst. Kept across the guest's sessions.
 * The current time is always a parameter, in nanoseconds that never decrease. Confined to one thread.
 */
public final class GuestRateLimiter {
    /** No limit: the default and the maximum of QEMU's max-bytes. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /** Size of the state of {@link #keep}. */
    public static final int KEPT_BYTES = Long.BYTES + 2 * RateLimiter.KEPT_BYTES;
    /** Maximum and default of QEMU's period. */
    public static final int MAX_PERIOD_MILLIS = 65536;

    /**
     * The used part of the limits, which migrates with the guest.
     *
     * @param bytes charged in the current period, at least 0
     * @param ops requests charged in the current period, at least 0
     * @param burst bytes used of the burst, at least 0
     */
    public record LimiterUsage(long bytes, long ops, long burst) {}

    private RateLimitConfig config;
    private boolean limited;
    private RateLimiter bytes;
    private RateLimiter ops;
    private long burstCapacity;
    private long burst;
    /** The used part of the bursts of earlier limits. */
    private long earlierBurst;

    private long nextGrantTime;
    /** Bytes of a {@link #reserve} without its {@link #charge}, and the part of them that the burst covers. */
    private long reserved;

    private long reservedOfBurst;

    /** Creates a limiter with unused limits. */
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

    /** The limits in force. */
    public RateLimitConfig config() {
        return config;
    }

    /**
     * Changes the limits between two requests. What was used stays used: in no period does the guest get more than the
     * larger of the limits in force during it, and a burst is granted once.
     *
     * @param now not before the last commit
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

    /** The bytes that the guest may receive now; {@link #UNLIMITED} without a limit of bytes. */
    public long bytesLeft(long now) {
        return config.maxBytes() == UNLIMITED ? UNLIMITED : bytes.tokens(now) + burst;
    }

    /** Whether there is any limit. Without one, {@link #charge} and {@link #commit} are not needed. */
    public boolean isLimited() {
        return limited;
    }

    /**
     * Returns how many bytes a request may receive now. Returns 0 rather than only a few of the wanted bytes.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; or 0: call again at {@link #nextGrantTime}
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
     * Charges a request before it is served, as if it received all of its grant. What follows without {@link #charge}
     * cannot take this back.
     *
     * @param now the time passed to {@link #grant}
     * @param granted bytes, 1 to the grant
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
     * Charges a request that was served, and takes back the rest of its {@link #reserve}.
     *
     * @param now the time passed to {@link #grant}
     * @param served bytes, at most the grant; 0 after {@link #reserve} if certainly no byte was written
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

    /** Commits everything charged so far: the guest can see it from now on. The period of these charges starts now. */
    public void commit(long now) {
        bytes.commit(now);
        ops.commit(now);
    }

    /** After {@link #grant} returned 0: the time to call it again. */
    public long nextGrantTime() {
        return nextGrantTime;
    }

    /**
     * Writes the used part of the limits to memory that outlives this process, {@link #KEPT_BYTES} from
     * {@code offset}.
     *
     * @param clockOffset CLOCK_MONOTONIC minus this object's time, nanoseconds
     */
    public void keep(MemorySegment memory, long offset, long clockOffset) {
        memory.set(RateLimiter.KEPT_LONG, offset, burst);
        bytes.keep(memory, offset + Long.BYTES, clockOffset);
        ops.keep(memory, offset + Long.BYTES + RateLimiter.KEPT_BYTES, clockOffset);
    }

    /**
     * Continues from the used part that another process wrote, possibly with other limits.
     *
     * @param clockOffset CLOCK_MONOTONIC minus {@code now}, nanoseconds
     */
    public void resume(long now, MemorySegment memory, long offset, long clockOffset) {
        burst = Math.clamp(memory.get(RateLimiter.KEPT_LONG, offset), 0, burstCapacity);
        bytes.resume(now, memory, offset + Long.BYTES, clockOffset);
        ops.resume(now, memory, offset + Long.BYTES + RateLimiter.KEPT_BYTES, clockOffset);
    }

    /** The used part of the limits. */
    public LimiterUsage usage(long now) {
        return new LimiterUsage(bytes.used(now), ops.used(now), burstCapacity - burst);
    }

    /** Charges the usage migrated from another host as if it had occurred now. */
    public void restoreUsage(long now, LimiterUsage migrated) {
        bytes.restore(now, migrated.bytes());
        ops.restore(now, migrated.ops());
        burst -= Math.min(burst, migrated.burst());
    }
}
