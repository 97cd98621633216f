package org.vhostuserrng.backends.health;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Chooses α, the probability of a false positive per sample, according to the rate of the source, so that a healthy
 * source fails a test by chance once in 34 years. α stays in the range that SP 800-90B §4.4 recommends, 2^−40 to 2^−20.
 * Therefore sources above 1 KiB/s fail more often by chance: every 12 days at 1 MiB/s. {@link HealthFailureHistory}
 * does not treat such a single failure as an alarm.
 *
 * <p>The rate is the highest average of a minute so far. Confined to one thread.
 */
final class FalsePositiveRateSelector {
    /** −log2 of the smallest α that §4.4 recommends, 2^−40. */
    static final int MAX_MINUS_LOG2_ALPHA = 40;
    /** −log2 of the largest α that §4.4 recommends, 2^−20. */
    static final int MIN_MINUS_LOG2_ALPHA = 20;

    /** Base 2 logarithm of the desired time between false positives in seconds: 34 years. */
    private static final int LOG2_SECONDS_BETWEEN = 30;

    private static final int PERIOD_SECONDS = 60;
    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(PERIOD_SECONDS);

    private final LongSupplier nanoClock;
    private long periodStart;
    private long periodSamples;
    private double samplesPerSecond;
    private boolean measured;

    /** Creates an instance without a measured rate, for which α is 2^−40. */
    FalsePositiveRateSelector(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        periodStart = nanoClock.getAsLong();
    }

    /** Counts samples of the source. */
    void addSamples(int samples) {
        periodSamples += samples;
        long elapsed = nanoClock.getAsLong() - periodStart;
        if (elapsed >= PERIOD_NANOS) {
            samplesPerSecond =
                    Math.max(samplesPerSecond, periodSamples * (double) TimeUnit.SECONDS.toNanos(1) / elapsed);
            measured = true;
            periodStart += elapsed;
            periodSamples = 0;
        } else {
            samplesPerSecond = Math.max(samplesPerSecond, (double) periodSamples / PERIOD_SECONDS);
        }
    }

    /** Returns −log2 α, 20 to 40. */
    int minusLog2Alpha() {
        if (!measured) {
            return MAX_MINUS_LOG2_ALPHA;
        }
        int wanted = LOG2_SECONDS_BETWEEN + (int) Math.ceil(log2(Math.max(samplesPerSecond, Double.MIN_NORMAL)));
        return Math.clamp(wanted, MIN_MINUS_LOG2_ALPHA, MAX_MINUS_LOG2_ALPHA);
    }

    /**
     * Returns the expected time between failures of a healthy source by chance.
     *
     * @param perSample probability of a failure per sample
     * @return nanoseconds, at most {@link Long#MAX_VALUE}
     */
    long expectedNanosBetween(double perSample) {
        return (long) (TimeUnit.SECONDS.toNanos(1) / (perSample * Math.max(samplesPerSecond, Double.MIN_NORMAL)));
    }

    private static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }
}
