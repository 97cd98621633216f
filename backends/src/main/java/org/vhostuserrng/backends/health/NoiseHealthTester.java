package org.vhostuserrng.backends.health;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The health tests of a noise source whose samples are bytes (SP 800-90B §4.4): start-up tests, then continuous tests
 * of every sample. Confined to the thread that reads the source.
 */
public final class NoiseHealthTester {
    private static final long HOURS_PER_DAY = 24;
    private static final long HOURS_PER_YEAR = 365 * HOURS_PER_DAY;

    /** §4.3: number of consecutive samples that the start-up tests test before the first one is used. */
    static final int STARTUP_SAMPLES = 1024;

    private final double minEntropy;
    private final FalsePositiveRateSelector falsePositives;
    private final HealthFailureHistory failures;
    private int minusLog2Alpha = FalsePositiveRateSelector.MAX_MINUS_LOG2_ALPHA;
    private boolean alarm;
    private RepetitionCountTester repetitionCount;
    private AdaptiveProportionTester adaptiveProportion;
    private final RepeatedSequenceTester repeatedSequence;
    private int startupSamplesLeft;

    /**
     * Creates the tests of a source that was not opened before.
     *
     * @param minEntropy H in bits per byte, above 0 and at most 8
     */
    public NoiseHealthTester(double minEntropy) {
        this(
                minEntropy,
                new SeenSequenceHashes(
                        new SecureRandom().longs(SeenSequenceHashes.KEY_COUNT).toArray()));
    }

    /**
     * Creates the tests of a source.
     *
     * @param minEntropy H in bits per byte, above 0 and at most 8
     * @param seen the sequences that the source has produced before
     */
    public NoiseHealthTester(double minEntropy, SeenSequenceHashes seen) {
        this(minEntropy, seen, System::nanoTime);
    }

    /**
     * Creates the tests of a source.
     *
     * @param seen the sequences that the source has produced before
     * @param nanoClock returns a monotonic time in nanoseconds
     */
    NoiseHealthTester(double minEntropy, SeenSequenceHashes seen, LongSupplier nanoClock) {
        this.minEntropy = minEntropy;
        falsePositives = new FalsePositiveRateSelector(nanoClock);
        failures = new HealthFailureHistory(nanoClock);
        repeatedSequence = new RepeatedSequenceTester(minEntropy, seen);
        restart();
    }

    /** Begins the start-up tests again. Does not forget the sequences that the source has produced. */
    public void restart() {
        repetitionCount = new RepetitionCountTester(minEntropy, minusLog2Alpha);
        adaptiveProportion = new AdaptiveProportionTester(minEntropy, minusLog2Alpha);
        repeatedSequence.restart();
        startupSamplesLeft = STARTUP_SAMPLES;
    }

    /** Returns whether the source has passed the start-up tests. */
    public boolean hasPassedStartup() {
        return startupSamplesLeft == 0;
    }

    /** H in bits per byte, above 0 and at most 8. */
    public double minEntropy() {
        return minEntropy;
    }

    /**
     * Returns whether the last failure was an alarm: chance does not explain it, because it followed another failure
     * too soon. After a failure that is not an alarm, the source may be used as soon as it has passed the start-up
     * tests again.
     */
    public boolean isAlarm() {
        return alarm;
    }

    /**
     * Describes for a log line how often a healthy source of this rate fails by chance, such as {@code every 12 days}.
     */
    public String chanceOfFailure() {
        long hours = TimeUnit.NANOSECONDS.toHours(falsePositives.expectedNanosBetween(falsePositiveProbability()));
        if (hours >= 2 * HOURS_PER_YEAR) {
            return "every " + hours / HOURS_PER_YEAR + " years or less often";
        }
        return hours >= 2 * HOURS_PER_DAY ? "every " + hours / HOURS_PER_DAY + " days" : "every " + hours + " hours";
    }

    /** Returns an upper bound of the probability per sample that a source of min-entropy H fails one of the tests. */
    private double falsePositiveProbability() {
        return repetitionCount.falsePositiveProbability()
                + Math.pow(2, -minusLog2Alpha) / AdaptiveProportionTester.WINDOW
                + RepeatedSequenceTester.FALSE_POSITIVE_PROBABILITY;
    }

    /**
     * Tests {@code length} more samples.
     *
     * @return null if all tests pass; otherwise a description of the failure: none of the samples may be used
     */
    public String check(MemorySegment samples, long offset, int length) {
        chooseAlpha(length);
        String failure = firstFailure(samples, offset, length);
        if (failure != null) {
            alarm = failures.addFailure(falsePositives.expectedNanosBetween(falsePositiveProbability()));
            return failure;
        }
        startupSamplesLeft = Math.max(0, startupSamplesLeft - length);
        if (startupSamplesLeft == 0) {
            failures.passedStartup();
        }
        return null;
    }

    private void chooseAlpha(int samples) {
        falsePositives.addSamples(samples);
        if (minusLog2Alpha != falsePositives.minusLog2Alpha()) {
            minusLog2Alpha = falsePositives.minusLog2Alpha();
            repetitionCount.setMinusLog2Alpha(minusLog2Alpha);
            adaptiveProportion.setMinusLog2Alpha(minusLog2Alpha);
        }
    }

    private String firstFailure(MemorySegment samples, long offset, int length) {
        for (int i = 0; i < length; i++) {
            int sample = samples.get(ValueLayout.JAVA_BYTE, offset + i) & 0xff;
            if (repetitionCount.addSample(sample)) {
                return failure(
                        "repetition count test", "a byte occurred " + repetitionCount.cutoff() + " times in a row");
            }
            if (adaptiveProportion.addSample(sample)) {
                return failure(
                        "adaptive proportion test",
                        "a byte occurred " + adaptiveProportion.cutoff() + " times in a window of "
                                + AdaptiveProportionTester.WINDOW);
            }
            if (repeatedSequence.addSample(sample)) {
                return failure("repeated sequence test", repeatedSequence.window() + " bytes were repeated");
            }
        }
        return null;
    }

    private String failure(String test, String cause) {
        return String.format(
                Locale.ROOT,
                "%s%s failed: %s (min-entropy=%s, alpha=2^-%d)",
                hasPassedStartup() ? "" : "start-up ",
                test,
                cause,
                minEntropy,
                minusLog2Alpha);
    }
}
