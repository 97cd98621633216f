package org.vhostuserrng.backends.health;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Chooses α, the probability of a false positive per sample, by the rate of the source, so that a healthy source fails
 * a test by chance once in 34 years. α stays in the range that SP 800-90B §4.4 recommends, 2^−40 to 2^−20; sources
 * above 1 KiB/s therefore fail by chance more often: every 12 days at 1 MiB/s. {@link HealthFailureHistory} makes up
 * for it.
 *
 * <p>The rate is the highest average over a minute so far. Confined to one thread.
 */
final class FalsePositiveRate {
    /** §4.4: the smallest recommended α is 2^−40. */
    static final int MAX_MINUS_LOG2_ALPHA = 40;
    /** §4.4: the largest recommended α is 2^−20. */
    static final int MIN_MINUS_LOG2_ALPHA = 20;

    /** Base 2 logarithm of the desired seconds between false positives: 34 years. */
    private static final int LOG2_SECONDS_BETWEEN = 30;

    private static final int PERIOD_SECONDS = 60;
    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(PERIOD_SECONDS);

    private final LongSupplier nanoClock;
    private long periodStart;
    private long periodSamples;
    private double samplesPerSecond;
    private boolean measured;

    /** A rate that has not been measured: α is 2^−40. */
    FalsePositiveRate(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        periodStart = nanoClock.getAsLong();
    }

    /** Adds samples of the source. */
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

    /** −log2 α, 20 to 40. */
    int minusLog2Alpha() {
        if (!measured) {
            return MAX_MINUS_LOG2_ALPHA;
        }
        int wanted = LOG2_SECONDS_BETWEEN + (int) Math.ceil(log2(Math.max(samplesPerSecond, Double.MIN_NORMAL)));
        return Math.clamp(wanted, MIN_MINUS_LOG2_ALPHA, MAX_MINUS_LOG2_ALPHA);
    }

    /**
     * Expected time between tests that a healthy source fails by chance.
     *
     * @param perSample probability per sample
     * @return nanoseconds, {@link Long#MAX_VALUE} if longer than that
     */
    long expectedNanosBetween(double perSample) {
        return (long) (TimeUnit.SECONDS.toNanos(1) / (perSample * Math.max(samplesPerSecond, Double.MIN_NORMAL)));
    }

    private static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }
}
