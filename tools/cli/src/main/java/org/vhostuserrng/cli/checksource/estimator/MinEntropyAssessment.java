package org.vhostuserrng.cli.checksource.estimator;

import java.util.ArrayList;
import java.util.List;

/**
 * The min-entropy of samples as SP 800-90B §3.1.3 assesses it for data that is not IID: the smallest of all estimates
 * of the samples, and of their bits times the width of a sample.
 *
 * @param width bits of a sample, 1 to 8
 * @param results results of all estimators, those of bits first
 */
public record MinEntropyAssessment(int width, List<EstimatorResult> results) {
    public MinEntropyAssessment {
        results = List.copyOf(results);
    }

    /**
     * Applies all estimators, in parallel.
     *
     * @param samples one sample a byte, in the low bits; not empty
     * @param width bits of a sample, 1 to 8
     * @param afterEach called from any thread after each of the {@link #taskCount} tasks
     */
    public static MinEntropyAssessment of(byte[] samples, int width, Runnable afterEach) throws InterruptedException {
        SymbolSequence symbols = SymbolSequence.ofSamples(samples);
        if (symbols.alphabetSize() == 1) {
            // SP 800-90B §6.3.1: a constant has no entropy; the other estimators need two symbols.
            return new MinEntropyAssessment(
                    width, List.of(new EstimatorResult("most common value", "6.3.1", false, 0)));
        }
        List<ParallelTasks.Task<List<EstimatorResult>>> tasks = new ArrayList<>();
        if (symbols.alphabetSize() > 2) {
            tasks.addAll(EstimatorTasks.of(SymbolSequence.ofBits(samples, width), true));
        }
        tasks.addAll(EstimatorTasks.of(symbols, false));
        List<EstimatorResult> results = new ArrayList<>();
        ParallelTasks.run(tasks, afterEach).forEach(results::addAll);
        return new MinEntropyAssessment(width, results);
    }

    /** Number of tasks into which the assessment of these samples is divided. */
    public static int taskCount(byte[] samples) {
        return switch (SymbolSequence.ofSamples(samples).alphabetSize()) {
            case 0, 1 -> 0;
            case 2 -> EstimatorTasks.PER_SEQUENCE;
            default -> 2 * EstimatorTasks.PER_SEQUENCE;
        };
    }

    /** H_original: smallest estimate of the samples, in bits per sample. */
    public double ofSamples() {
        return smallest(false);
    }

    /** H_bitstring: smallest estimate of the bits, in bits per bit; infinite if bits were not estimated. */
    public double ofBits() {
        return smallest(true);
    }

    /** The assessed min-entropy in bits per sample. */
    public double perSample() {
        return Math.min(ofSamples(), width * ofBits());
    }

    private double smallest(boolean ofBits) {
        double smallest = Double.POSITIVE_INFINITY;
        for (EstimatorResult result : results) {
            if (result.ofBits() == ofBits && result.applies()) {
                smallest = Math.min(smallest, result.bits());
            }
        }
        return smallest;
    }
}
