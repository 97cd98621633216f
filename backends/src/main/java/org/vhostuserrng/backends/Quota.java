package org.vhostuserrng.backends;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * max-bytes per period: no stretch of time as long as a period, wherever it begins, carries more than max-bytes.
 *
 * <p>Remembers what was charged in the last period, in slices of a 64th of it, and gives each slice back one period
 * after its last byte. Time is an input, nanoseconds that do not run backwards. Confined to one thread.
 */
public final class Quota {
    /** QEMU's default and bound: no limit at all. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /** QEMU's bound, and the default. */
    public static final int LONGEST_PERIOD_MILLIS = 65536;

    /**
     * Bytes that were charged.
     *
     * @param ageNanos how long ago the guest had the last of them, not negative
     * @param bytes at least 0
     */
    public record Charge(long ageNanos, long bytes) {}

    private static final int SLICES_A_PERIOD = 64;
    /** Held longer by this: the guest looks at its clock a little after it could have seen the bytes. */
    private static final long LONGEST_MARGIN_NANOS = 1_000_000;

    private static final int MARGINS_A_PERIOD = 100;
    /** Slices begin at least a 64th apart and live for a period, a margin and their own length. */
    private static final int CAPACITY = SLICES_A_PERIOD + 4;

    private final long maxBytes;
    private final long sliceNanos;
    private final long holdNanos;
    private final long[] began = new long[CAPACITY];
    private final long[] ended = new long[CAPACITY];
    private final long[] bytes = new long[CAPACITY];
    private int oldest;
    private int count;
    private long charged;
    private boolean unsettled;

    /**
     * A quota that is unused.
     *
     * @param maxBytes at least 1; {@link #UNLIMITED} for none
     * @param periodMillis 1 to {@link #LONGEST_PERIOD_MILLIS}
     */
    public Quota(long maxBytes, int periodMillis) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("max-bytes " + maxBytes);
        }
        if (periodMillis < 1 || periodMillis > LONGEST_PERIOD_MILLIS) {
            throw new IllegalArgumentException("period " + periodMillis);
        }
        long period = TimeUnit.MILLISECONDS.toNanos(periodMillis);
        this.maxBytes = maxBytes;
        this.sliceNanos = period / SLICES_A_PERIOD;
        this.holdNanos = period + Math.min(LONGEST_MARGIN_NANOS, period / MARGINS_A_PERIOD);
    }

    /** How many bytes may be served now. */
    public long available(long now) {
        while (count > 0 && ended[oldest] + holdNanos <= now) {
            charged -= bytes[oldest];
            oldest = (oldest + 1) % CAPACITY;
            count--;
        }
        return maxBytes - charged;
    }

    /**
     * Counts bytes that have been served.
     *
     * @param now the time given to {@link #available}
     * @param served at most what was available
     */
    public void charge(long now, long served) {
        if (maxBytes == UNLIMITED) {
            return;
        }
        add(now, served);
        unsettled = true;
    }

    private void add(long time, long served) {
        if (count == 0 || time - began[newest()] >= sliceNanos) {
            count++;
            began[newest()] = time;
            bytes[newest()] = 0;
        }
        ended[newest()] = time;
        bytes[newest()] += served;
        charged += served;
    }

    private int newest() {
        return (oldest + count - 1) % CAPACITY;
    }

    /**
     * Tells that all bytes charged so far can be seen by the guest, which may be later than when they were charged: from
     * now on counts their period.
     */
    public void settle(long now) {
        if (unsettled) {
            ended[newest()] = now;
            unsettled = false;
        }
    }

    /** When the next bytes become available, if none are now. */
    public long nextRefill() {
        return count == 0 ? 0 : ended[oldest] + holdNanos;
    }

    /** What counts against the quota now, the oldest first: for another quota of the same guest, on another host. */
    public List<Charge> charges(long now) {
        settle(now);
        long unused = available(now);
        assert unused <= maxBytes;
        return IntStream.range(0, count)
                .map(i -> (oldest + i) % CAPACITY)
                .mapToObj(slice -> new Charge(now - ended[slice], bytes[slice]))
                .toList();
    }

    /**
     * Has what was charged elsewhere count here, from the same time on. What both know of counts once: at any time to
     * come the larger one of the two sums holds.
     *
     * @param elsewhere the oldest first, together less than 2^63 bytes
     */
    public void recharge(long now, List<Charge> elsewhere) {
        if (maxBytes == UNLIMITED) {
            return;
        }
        List<Charge> here = charges(now);
        List<Charge> merged = new ArrayList<>();
        long sum = 0;
        for (long age : ages(here, elsewhere)) {
            long larger = Math.max(sumSince(age, here), sumSince(age, elsewhere));
            if (larger > sum) {
                merged.add(new Charge(age, larger - sum));
                sum = larger;
            }
        }
        count = 0;
        charged = 0;
        for (Charge charge : merged.reversed()) {
            add(now - charge.ageNanos(), charge.bytes());
        }
    }

    /** From the youngest to the oldest that still counts. */
    private long[] ages(List<Charge> here, List<Charge> elsewhere) {
        return Stream.concat(here.stream(), elsewhere.stream())
                .mapToLong(Charge::ageNanos)
                .filter(age -> age < holdNanos)
                .distinct()
                .sorted()
                .toArray();
    }

    private static long sumSince(long age, List<Charge> charges) {
        return charges.stream()
                .filter(charge -> charge.ageNanos() <= age)
                .mapToLong(Charge::bytes)
                .sum();
    }
}
