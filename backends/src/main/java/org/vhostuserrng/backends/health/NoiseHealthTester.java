package org.vhostuserrng.backends.health;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.SecureRandom;
import java.util.Locale;

/**
 * Health tests of a noise source whose samples are bytes (SP 800-90B §4.4): start-up tests, then
 * continuous tests of every sample. Confined to the thread that reads the source.
 */
public final class NoiseHealthTester {
    /** §4.4: −log2 α, where α is the probability of a false positive per sample. */
    static final double MINUS_LOG2_ALPHA = 20;

    static final double ALPHA = 1.0 / (1 << 20);

    /** §4.3: consecutive samples tested before the first one is used. */
    static final int STARTUP_SAMPLES = 1024;

    private final double minEntropy;
    private RepetitionCountTester repetitionCount;
    private AdaptiveProportionTester adaptiveProportion;
    private final RepeatedSequenceTester repeatedSequence;
    private int startupSamplesLeft;

    /**
     * Creates the tests of a source that has not been opened before.
     *
     * @param minEntropy H in bits per byte, above 0 and at most 8
     */
    public NoiseHealthTester(double minEntropy) {
        this(
                minEntropy,
                new SeenSequenceHashes(
                        new SecureRandom().longs(SeenSequenceHashes.KEY_COUNT).toArray()));
    }

    /** Creates the tests of a source; {@code seen} contains the sequences that the source has produced before. */
    public NoiseHealthTester(double minEntropy, SeenSequenceHashes seen) {
        this.minEntropy = minEntropy;
        repeatedSequence = new RepeatedSequenceTester(minEntropy, seen);
        restart();
    }

    /** Restarts with the start-up tests. Sequences seen before still count as repeated. */
    public void restart() {
        repetitionCount = new RepetitionCountTester(minEntropy);
        adaptiveProportion = new AdaptiveProportionTester(minEntropy);
        repeatedSequence.restart();
        startupSamplesLeft = STARTUP_SAMPLES;
    }

    /** Whether the source has passed the start-up tests. */
    public boolean hasPassedStartup() {
        return startupSamplesLeft == 0;
    }

    /** H in bits per byte, above 0 and at most 8. */
    public double minEntropy() {
        return minEntropy;
    }

    /**
     * Tests {@code length} more samples.
     *
     * @return null, or a description of the failure; none of the samples may be used then
     */
    public String check(MemorySegment samples, long offset, int length) {
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
        startupSamplesLeft = Math.max(0, startupSamplesLeft - length);
        return null;
    }

    private String failure(String test, String cause) {
        return String.format(
                Locale.ROOT,
                "%s%s failed: %s (min-entropy=%s)",
                hasPassedStartup() ? "" : "start-up ",
                test,
                cause,
                minEntropy);
    }
}
