package org.vhostuserrng.cli.checksource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.checksource.estimator.EstimatorResult;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;
import org.vhostuserrng.cli.checksource.validation.TestResult;

class SourceCheckReportTest {
    private static final double CLAIMED = 2;

    private static SourceCheckReport report(String fault, double estimate, int... bytes) {
        return report(fault, estimate, List.of(), bytes);
    }

    private static SourceCheckReport report(String fault, double estimate, List<TestResult> tests, int... bytes) {
        ByteStatistics statistics = new ByteStatistics();
        byte[] samples = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            statistics.add(bytes[i]);
            samples[i] = (byte) bytes[i];
        }
        MinEntropyAssessment assessment = bytes.length == 0
                ? null
                : new MinEntropyAssessment(
                        8,
                        List.of(
                                new EstimatorResult("lag", "6.3.8", true, 1),
                                new EstimatorResult("lag", "6.3.8", false, estimate),
                                new EstimatorResult("t-tuple", "6.3.5", false, Double.NaN)),
                        List.of());
        CollectedSamples collected = new CollectedSamples(samples, statistics, 5000, fault);
        return new SourceCheckReport("file:/x", collected, 8, CLAIMED, assessment, tests);
    }

    private static int[] random(int length) {
        return new SplittableRandom(1).ints(length, 0, 256).toArray();
    }

    private static String text(SourceCheckReport report) {
        StringWriter text = new StringWriter();
        SourceCheckText.print(report, new PrintWriter(text, true));
        return text.toString();
    }

    @Test
    void runsAndTransitionsAreCountedAcrossByteBoundaries() {
        ByteStatistics statistics = report("", 8, 0x0f, 0xf8, 0x00).samples().statistics();

        assertEquals(9, statistics.ones());
        assertEquals(11, statistics.longestRun());
    }

    @Test
    void chiSquareProbabilityOfRandomBytesIsNotExtreme() {
        double p = report("", 8, random(1 << 20)).chiSquareProbability();

        assertTrue(p > 0.001 && p < 0.999, () -> "p = " + p);
    }

    @Test
    void chiSquareProbabilityOfBiasedBytesIsZero() {
        int[] bytes = random(1 << 20);
        for (int i = 0; i < bytes.length; i += 100) {
            bytes[i] = 0;
        }

        assertEquals(0, report("", 8, bytes).chiSquareProbability(), 1e-6);
    }

    @Test
    void chiSquareProbabilityMatchesTheTables() {
        // All values occur 1000 times, except that one occurs d times more and one d times less: chi-square is 2
        // d²/1000. The 95 % quantile for 255 degrees of freedom is 293.2.
        int[] bytes = new int[256_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i % 256;
        }
        for (int i = 0; i < 383; i++) {
            bytes[i * 256] = 1;
        }

        assertEquals(0.05, report("", 8, bytes).chiSquareProbability(), 0.001);
    }

    @ParameterizedTest
    @CsvSource({"2, true", "7.9, true", "1.999, false", "0, false"})
    void sourceIsHealthyIfTheEstimateIsNotBelowTheClaim(double estimate, boolean healthy) {
        assertEquals(healthy, report("", estimate, random(5000)).isHealthy());
    }

    @Test
    void estimateOfBitsCountsForTheWidthOfASample() {
        MinEntropyAssessment assessment = new MinEntropyAssessment(
                4,
                List.of(new EstimatorResult("lag", "6.3.8", true, 0.25), new EstimatorResult("lag", "6.3.8", false, 3)),
                List.of());

        assertEquals(1, assessment.perSample());
        assertEquals(
                0.4,
                assessment
                        .with(new EstimatorResult("linear complexity", "", true, 0.1))
                        .perSample(),
                1e-9);
    }

    @Test
    void tooUniformBytesAreNotHealthy() {
        int[] counter = new int[25_600];
        for (int i = 0; i < counter.length; i++) {
            counter[i] = i % 256;
        }

        assertTrue(report("", 8, counter).faults().getFirst().startsWith("suspicious"));
    }

    @Test
    void failedTestIsAFault() {
        List<TestResult> tests =
                List.of(new TestResult("one", true, "fine"), new TestResult("other", false, "3 of 10000"));

        SourceCheckReport report = report("", 8, tests, random(5000));

        assertEquals(List.of("other failed"), report.faults());
        assertTrue(text(report).contains("3 of 10000"), () -> text(report));
    }

    @Test
    void jsonHasTheMetricsAndTheFault() throws Exception {
        String json = SourceCheckJson.of(report("stuck \"really\"", 3, random(5000)));

        assertTrue(
                json.startsWith("{\"source\":\"file:/x\",\"healthy\":false,\"fault\":\"stuck \\\"really\\\"\""), json);
        assertTrue(json.contains("\"bytes\":5000,\"bytesPerSecond\":5000.0,"), json);
        assertTrue(json.contains("\"minEntropyPerByte\":3.0,"), json);
        assertTrue(
                json.contains("{\"name\":\"t-tuple\",\"section\":\"6.3.5\",\"of\":\"samples\",\"minEntropy\":null}"),
                json);
    }

    @Test
    void reportWithoutBytesHasNoMetrics() throws Exception {
        SourceCheckReport nothing = report("only 0 bytes received", 8);

        assertFalse(nothing.isHealthy());
        assertEquals(
                "{\"source\":\"file:/x\",\"healthy\":false,\"fault\":\"only 0 bytes received\",\"bytes\":0}",
                SourceCheckJson.of(nothing));
        assertFalse(text(nothing).contains("NaN"), () -> text(nothing));
    }

    @Test
    void textSaysWhatWasNotShown() {
        String text = text(report("", 3, random(5000)));

        assertTrue(text.contains("Not shown:"), text);
        assertTrue(text.contains("Deterministic generators"), text);
        assertTrue(text.contains("requires 1000000 samples"), text);
        assertTrue(text.lines().allMatch(line -> line.length() <= 120), text);
    }
}
