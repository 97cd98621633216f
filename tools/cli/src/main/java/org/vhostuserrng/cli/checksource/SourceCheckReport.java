package org.vhostuserrng.cli.checksource;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;
import org.vhostuserrng.cli.checksource.validation.TestResult;

/**
 * The result of {@code check-source}.
 *
 * @param source the source, in the syntax of {@code --source}
 * @param samples the samples and the result of the health tests
 * @param width width of a sample in bits, 1 to 8
 * @param claimed value of {@code --min-entropy}, in bits per sample
 * @param assessment the estimates; null if there were too few samples
 * @param tests results of the tests that {@code --iid}, {@code --restarts} and {@code --restart-file} select
 */
record SourceCheckReport(
        String source,
        CollectedSamples samples,
        int width,
        double claimed,
        MinEntropyAssessment assessment,
        List<TestResult> tests) {
    /** The chi-square statistic is suspicious if its probability is less than this, or more than 1 minus this. */
    private static final double TOO_UNIFORM = 1e-4;

    SourceCheckReport {
        tests = List.copyOf(tests);
    }

    /** Whether no test failed and the smallest estimate is not below the claim. */
    boolean isHealthy() {
        return faults().isEmpty();
    }

    /** The reasons why the source is not healthy, the most severe first. */
    List<String> faults() {
        List<String> faults = new ArrayList<>();
        if (!samples.fault().isEmpty()) {
            faults.add(samples.fault());
        }
        if (assessment != null && assessment.perSample() < claimed) {
            faults.add(String.format(
                    Locale.ROOT,
                    "the smallest estimate, %.3f bits per sample, is below --min-entropy=%s",
                    assessment.perSample(),
                    claimed));
        }
        if (isTooUniform()) {
            faults.add("suspicious: bytes of a random source are less evenly distributed");
        }
        for (TestResult test : tests) {
            if (!test.passed()) {
                faults.add(test.name() + " failed");
            }
        }
        return faults;
    }

    double onesRatio() {
        return (double) samples.statistics().ones() / samples.statistics().bits();
    }

    /**
     * Probability that an ideal source has a larger chi-square statistic: near 0 if the bytes are biased, near 1 if
     * they are too uniform to be random.
     */
    double chiSquareProbability() {
        return samples.statistics().chiSquareProbability();
    }

    /** Whether the frequencies of the byte values are more equal than random bytes make likely. */
    boolean isTooUniform() {
        return samples.statistics().bytes() > 0 && chiSquareProbability() > 1 - TOO_UNIFORM;
    }

    /** Whether the frequencies of the byte values differ more than random bytes make likely. */
    boolean isNotUniform() {
        return chiSquareProbability() < TOO_UNIFORM;
    }
}
