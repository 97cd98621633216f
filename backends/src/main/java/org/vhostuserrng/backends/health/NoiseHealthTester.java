package org.vhostuserrng.backends.health;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.SecureRandom;
import java.util.Locale;

/**
 * Health tests of a noise source (SP 800-90B §4.4), whose samples are bytes: at its start over {@link #STARTUP_SAMPLES},
 * and over every byte from then on. Confined to the thread that reads the source.
 */
public final class NoiseHealthTester {
    /** §4.4: the probability of a false alarm, for each sample. */
    static final double MINUS_LOG2_ALPHA = 20;

    static final double ALPHA = 1.0 / (1 << 20);

    /** §4.3: at least so many consecutive samples before the first one is used. */
    static final int STARTUP_SAMPLES = 1024;

    private final double minEntropy;
    private RepetitionCountTester repetitionCount;
    private AdaptiveProportionTester adaptiveProportion;
    private final RepeatedSequenceTester repeatedSequence;
    private int startupLeft;

    /**
     * Tests of a source that nothing is known of, about to start.
     *
     * @param minEntropy H: bits of a byte that the source has at least, above 0 and at most 8
     */
    public NoiseHealthTester(double minEntropy) {
        this(
                minEntropy,
                new SeenSequenceHashes(
                        new SecureRandom().longs(SeenSequenceHashes.KEYS).toArray()));
    }

    /** Tests of a source that has been open before. */
    public NoiseHealthTester(double minEntropy, SeenSequenceHashes memory) {
        this.minEntropy = minEntropy;
        repeatedSequence = new RepeatedSequenceTester(minEntropy, memory);
        restart();
    }

    /** Begins with the start-up tests again; what repeats anything from before still fails. */
    public void restart() {
        repetitionCount = new RepetitionCountTester(minEntropy);
        adaptiveProportion = new AdaptiveProportionTester(minEntropy);
        repeatedSequence.restart();
        startupLeft = STARTUP_SAMPLES;
    }

    /** Whether the start-up tests are over. */
    public boolean hasStarted() {
        return startupLeft == 0;
    }

    public double minEntropy() {
        return minEntropy;
    }

    /**
     * Tests some more bytes.
     *
     * @return null, or which test failed and how; none of the bytes is to be used then
     */
    public String test(MemorySegment bytes, long offset, int length) {
        for (int i = 0; i < length; i++) {
            int sample = bytes.get(ValueLayout.JAVA_BYTE, offset + i) & 0xff;
            if (repetitionCount.failsWith(sample)) {
                return failure("repetition count test", "a byte came " + repetitionCount.cutoff() + " times in a row");
            }
            if (adaptiveProportion.failsWith(sample)) {
                return failure(
                        "adaptive proportion test",
                        "a byte came " + adaptiveProportion.cutoff() + " times among "
                                + AdaptiveProportionTester.WINDOW);
            }
            if (repeatedSequence.failsWith(sample)) {
                return failure("repeated sequence test", repeatedSequence.window() + " bytes came a second time");
            }
        }
        startupLeft = Math.max(0, startupLeft - length);
        return null;
    }

    private String failure(String test, String what) {
        return String.format(
                Locale.ROOT, "%s%s: %s (min-entropy=%s)", hasStarted() ? "" : "start-up, ", test, what, minEntropy);
    }
}
