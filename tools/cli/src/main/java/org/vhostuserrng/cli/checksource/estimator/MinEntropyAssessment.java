package org.vhostuserrng.cli.checksource.estimator;

import java.util.ArrayList;
import java.util.List;

/**
 * The min-entropy of samples that are not IID, as SP 800-90B §3.1.3 assesses it: the smallest of all estimates of the
 * samples, and of all estimates of their bits multiplied by the width of a sample. Supplementary estimates, which are
 * not part of SP 800-90B, can only make the result smaller.
 *
 * @param width width of a sample in bits, 1 to 8
 * @param results results of all estimators of SP 800-90B, those of bits first
 * @param supplements results of the supplementary estimators
 */
public record MinEntropyAssessment(int width, List<EstimatorResult> results, List<EstimatorResult> supplements) {
    public MinEntropyAssessment {
        results = List.copyOf(results);
        supplements = List.copyOf(supplements);
    }

    /**
     * Applies all estimators, in parallel.
     *
     * @param samples one sample per byte, in the low bits; not empty
     * @param width width of a sample in bits, 1 to 8
     * @param afterEach called by any thread after each of the {@link #taskCount} tasks
     */
    public static MinEntropyAssessment of(byte[] samples, int width, Runnable afterEach) throws InterruptedException {
        SymbolSequence symbols = SymbolSequence.ofSamples(samples);
        if (symbols.alphabetSize() == 1) {
            // SP 800-90B §6.3.1: a constant sequence has no entropy. The other estimators require two symbols.
            return new MinEntropyAssessment(
                    width, List.of(new EstimatorResult("most common value", "6.3.1", false, 0)), List.of());
        }
        List<ParallelTasks.Task<List<EstimatorResult>>> tasks = new ArrayList<>();
        if (symbols.alphabetSize() > 2) {
            tasks.addAll(EstimatorTasks.of(SymbolSequence.ofBits(samples, width), true));
        }
        tasks.addAll(EstimatorTasks.of(symbols, false));
        int standard = tasks.size();
        tasks.addAll(SupplementaryTasks.of(samples, width));
        List<List<EstimatorResult>> results = ParallelTasks.run(tasks, afterEach);
        return new MinEntropyAssessment(
                width,
                results.subList(0, standard).stream().flatMap(List::stream).toList(),
                results.subList(standard, tasks.size()).stream()
                        .flatMap(List::stream)
                        .toList());
    }

    /** Returns this assessment with one more supplementary estimate. */
    public MinEntropyAssessment with(EstimatorResult supplement) {
        List<EstimatorResult> all = new ArrayList<>(supplements);
        all.add(supplement);
        return new MinEntropyAssessment(width, results, all);
    }

    /** Returns the number of tasks into which the assessment of these samples is divided. */
    public static int taskCount(byte[] samples) {
        return switch (SymbolSequence.ofSamples(samples).alphabetSize()) {
            case 0, 1 -> 0;
            case 2 -> EstimatorTasks.PER_SEQUENCE + SupplementaryTasks.OF_BINARY_SAMPLES;
            default -> 2 * EstimatorTasks.PER_SEQUENCE + SupplementaryTasks.OF_OTHER_SAMPLES;
        };
    }

    /** H_original: the smallest estimate of the samples, in bits per sample. */
    public double ofSamples() {
        return smallest(results, false);
    }

    /** H_bitstring: the smallest estimate of the bits, in bits per bit; infinite if bits were not estimated. */
    public double ofBits() {
        return smallest(results, true);
    }

    /** The assessed min-entropy in bits per sample. */
    public double perSample() {
        double standard = Math.min(ofSamples(), width * ofBits());
        return Math.min(standard, Math.min(smallest(supplements, false), width * smallest(supplements, true)));
    }

    private static double smallest(List<EstimatorResult> of, boolean ofBits) {
        double smallest = Double.POSITIVE_INFINITY;
        for (EstimatorResult result : of) {
            if (result.ofBits() == ofBits && result.applies()) {
                smallest = Math.min(smallest, result.bits());
            }
        }
        return smallest;
    }
}
