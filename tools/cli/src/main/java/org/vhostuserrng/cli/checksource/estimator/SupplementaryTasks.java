package org.vhostuserrng.cli.checksource.estimator;

import java.util.ArrayList;
import java.util.List;

/** Tasks that apply the estimators that are not part of SP 800-90B, and that may run in parallel. */
final class SupplementaryTasks {
    /** Number of tasks for samples with two values. */
    static final int OF_BINARY_SAMPLES = 2;
    /** Number of tasks for samples with more values. */
    static final int OF_OTHER_SAMPLES = 5;

    private static final String NO_SECTION = "";
    /** Minimum number of samples: with fewer, the best of many candidates is mostly due to chance. */
    private static final int MIN_SAMPLES = 1 << 15;

    private SupplementaryTasks() {}

    /**
     * Returns the tasks for these samples.
     *
     * @param samples one sample per byte, in the low bits
     * @param width width of a sample in bits, 1 to 8
     */
    static List<ParallelTasks.Task<List<EstimatorResult>>> of(byte[] samples, int width) {
        SymbolSequence symbols = SymbolSequence.ofSamples(samples);
        List<ParallelTasks.Task<List<EstimatorResult>>> tasks = new ArrayList<>();
        tasks.add(() -> result("long lag", false, samples, LongLagEstimate.of(samples, width)));
        if (symbols.alphabetSize() == 2) {
            tasks.add(() -> result("linear recurrence", false, samples, TwoTapRecurrenceEstimate.ofBits(symbols)));
            return tasks;
        }
        tasks.add(() -> result("lagged transition", false, samples, LaggedTransitionEstimate.of(samples, width)));
        tasks.add(() -> result("long lag", true, samples, LongLagEstimate.of(bits(samples, width), 1)));
        tasks.add(
                () -> result("linear recurrence", false, samples, TwoTapRecurrenceEstimate.ofSamples(samples, width)));
        tasks.add(() -> result("linear recurrence", true, samples, recurrenceOfBits(samples, width)));
        return tasks;
    }

    private static List<EstimatorResult> result(String name, boolean ofBits, byte[] samples, double bits) {
        return List.of(new EstimatorResult(name, NO_SECTION, ofBits, samples.length < MIN_SAMPLES ? Double.NaN : bits));
    }

    /** Returns the bits of the samples, one per byte, as many as {@link LongLagEstimate} evaluates. */
    private static byte[] bits(byte[] samples, int width) {
        SymbolSequence sequence = SymbolSequence.ofBits(samples, width);
        byte[] bits = new byte[Math.min(sequence.length(), LongLagEstimate.MAX_SAMPLES)];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) sequence.at(i);
        }
        return bits;
    }

    /** Returns the smaller of two estimates: with the most and with the least significant bit of a sample first. */
    private static double recurrenceOfBits(byte[] samples, int width) {
        byte[] reversed = new byte[samples.length];
        for (int i = 0; i < samples.length; i++) {
            reversed[i] = (byte) (Integer.reverse(samples[i]) >>> (Integer.SIZE - width));
        }
        return Math.min(
                TwoTapRecurrenceEstimate.ofBits(SymbolSequence.ofBits(samples, width)),
                TwoTapRecurrenceEstimate.ofBits(SymbolSequence.ofBits(reversed, width)));
    }
}
