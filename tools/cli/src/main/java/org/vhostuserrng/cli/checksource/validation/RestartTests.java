package org.vhostuserrng.cli.checksource.validation;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;

/** The restart tests of SP 800-90B §3.1.4: they test whether a source produces other samples after each restart. */
public final class RestartTests {
    /** §3.1.4.3: probability that a source with the assessed min-entropy fails the test. */
    private static final double ALPHA = 0.01;

    private static final int BYTE_VALUES = 256;

    private RestartTests() {}

    /**
     * Runs the restart tests.
     *
     * @param initial H_I: assessed min-entropy of consecutive samples, in bits per sample
     * @param claimed min-entropy that the source must have, in bits per sample
     * @param rows assessment of the samples in the order of the rows
     * @param columns assessment of the samples in the order of the columns
     */
    public static List<TestResult> of(
            RestartSamples matrix,
            double initial,
            double claimed,
            MinEntropyAssessment rows,
            MinEntropyAssessment columns) {
        double least = Math.max(initial / 2, claimed);
        return List.of(
                mostCommon(matrix, initial),
                validation("rows", least, rows.perSample()),
                validation("columns", least, columns.perSample()));
    }

    /**
     * §3.1.4.2: the estimate of the rows and that of the columns must be at least half the initial estimate. §3.1.5:
     * they also limit the min-entropy of the source, and so must reach the claimed min-entropy.
     */
    private static TestResult validation(String order, double least, double estimate) {
        return new TestResult(
                "restarts: §3.1.4.2 min-entropy of " + order,
                estimate >= least,
                String.format(Locale.ROOT, "%.3f bits per sample, at least %.3f expected", estimate, least));
    }

    /** §3.1.4.3: tests whether a value is too common in a row or a column. */
    private static TestResult mostCommon(RestartSamples matrix, double initial) {
        int most = Math.max(
                mostCommonInParts(matrix.rows(), RestartSamples.SAMPLES),
                mostCommonInParts(matrix.columns(), RestartSamples.RESTARTS));
        int limit = limit(initial);
        return new TestResult(
                "restarts: §3.1.4.3 most common values",
                most < limit,
                "at most " + most + " equal samples in a row or column, fewer than " + limit + " expected");
    }

    private static int mostCommonInParts(byte[] samples, int length) {
        int most = 0;
        int[] counts = new int[BYTE_VALUES];
        for (int i = 0; i < samples.length; i++) {
            if (i % length == 0) {
                Arrays.fill(counts, 0);
            }
            counts[samples[i] & 0xff]++;
            most = Math.max(most, counts[samples[i] & 0xff]);
        }
        return most;
    }

    /**
     * Returns the smallest count of a value in a row or column that occurs by chance in fewer than one of 100 matrices.
     * α is divided by the number of rows and columns. It is also divided by the largest number of values that can have
     * the maximum probability, because any of them may be the most common value.
     */
    static int limit(double minEntropy) {
        double p = Math.pow(2, -minEntropy);
        if (p == 1) {
            return RestartSamples.SAMPLES + 1;
        }
        double tests = (RestartSamples.RESTARTS + RestartSamples.SAMPLES) * Math.floor(1 / p);
        int trials = RestartSamples.SAMPLES;
        double odds = Math.log1p(-p) - Math.log(p);
        double term = trials * Math.log(p);
        double tail = Math.exp(term);
        int count = trials;
        while (tail <= ALPHA / tests && count > 0) {
            term += Math.log(count) - Math.log(trials - count + 1.0) + odds;
            tail += Math.exp(term);
            count--;
        }
        return count + 1;
    }
}
