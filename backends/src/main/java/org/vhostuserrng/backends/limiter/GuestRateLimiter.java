package org.vhostuserrng.backends.limiter;

/**
 * What one guest may have: bytes and requests in a period, and a burst once. It is the guest's, whatever sessions come
 * and go. Time is an input, nanoseconds that do not run backwards. Confined to one thread.
 */
public final class GuestRateLimiter {
    /** QEMU's default and bound: no limit at all. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /** QEMU's bound, and the default. */
    public static final int LONGEST_PERIOD_MILLIS = 65536;

    /**
     * What has been used up of a quota, to go with the guest to another host.
     *
     * @param bytes that still count, at least 0
     * @param ops requests that still count, at least 0
     * @param burst bytes of the burst, at least 0
     */
    public record Spent(long bytes, long ops, long burst) {}

    private final boolean limited;
    private final RateLimit bytes;
    private final RateLimit ops;
    private final long wholeBurst;
    private long burst;
    private long nextRefill;

    /** A quota that is unused. */
    public GuestRateLimiter(RateLimitConfig limits) {
        limited = limits.maxBytes() != UNLIMITED || limits.ops() != UNLIMITED;
        bytes = limits.bytesAllowance();
        ops = limits.opsAllowance();
        wholeBurst = limits.maxBytes() == UNLIMITED ? 0 : limits.burst();
        burst = wholeBurst;
    }

    /** As of {@link RateLimitConfig#ofBytes}. */
    public GuestRateLimiter(RateLimitMode mode, long maxBytes, int periodMillis) {
        this(RateLimitConfig.ofBytes(mode, maxBytes, periodMillis));
    }

    /** Whether there is any limit; without one nothing has to be charged and settled. */
    public boolean isLimited() {
        return limited;
    }

    /**
     * How many bytes a request may be given now. Less than it wants only if that is worth a completion of its own.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; or 0: then {@link #nextRefill} tells when to ask again
     */
    public long grant(long now, long wanted) {
        if (!limited) {
            return wanted;
        }
        if (ops.available(now, 1) == 0) {
            nextRefill = ops.nextRefill(1);
            return 0;
        }
        long granted = bytes.available(now, wanted);
        if (granted < wanted && burst > 0) {
            long stored = bytes.inStore(now);
            granted = stored + Math.min(burst, wanted - stored);
        }
        if (granted == 0) {
            nextRefill = bytes.nextRefill(wanted);
        }
        return granted;
    }

    /**
     * Counts a request that was served.
     *
     * @param now the time given to {@link #grant}
     * @param served how many bytes it was given, at most what was granted
     */
    public void charge(long now, long served) {
        long regular = Math.min(served, bytes.inStore(now));
        burst -= served - regular;
        bytes.charge(now, regular);
        ops.charge(now, 1);
    }

    /**
     * Tells that all that was charged so far can be seen by the guest, which may be later than when it was charged: from
     * now on counts its period.
     */
    public void settle(long now) {
        bytes.settle(now);
        ops.settle(now);
    }

    /** When to ask again, after {@link #grant} gave nothing. */
    public long nextRefill() {
        return nextRefill;
    }

    /** What has been used up. */
    public Spent spent(long now) {
        return new Spent(bytes.charged(now), ops.charged(now), wholeBurst - burst);
    }

    /** Has count here what was used up elsewhere, as if that had been now. */
    public void restore(long now, Spent elsewhere) {
        bytes.restore(now, elsewhere.bytes());
        ops.restore(now, elsewhere.ops());
        burst -= Math.min(burst, elsewhere.burst());
    }
}
