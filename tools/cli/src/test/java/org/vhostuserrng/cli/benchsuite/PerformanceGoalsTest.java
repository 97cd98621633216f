package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.GuestWorkload;

class PerformanceGoalsTest {
    private final BenchSamples samples = new BenchSamples();

    private void measured(String candidate, BenchMetric metric, double value) {
        String scenario = GuestWorkload.DEPTH_1.scenario(CpuPlacement.ONE_CPU);
        samples.add(new SampleKey(BenchReportSection.SINGLE, scenario, candidate), metric, value);
    }

    private PerformanceGoal goal(String text) {
        return new PerformanceGoals(samples)
                .all().stream()
                        .filter(goal -> goal.text().contains(text))
                        .findFirst()
                        .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"0.8, yes", "0.9, yes", "0.904, yes", "0.91, **no**"})
    void upperLimitIsMetUpToTheLimit(double measured, String verdict) {
        assertEquals(
                verdict,
                PerformanceGoal.atMost(0.9, "", OptionalDouble.of(measured)).verdict());
    }

    @ParameterizedTest
    @CsvSource({"1.6, yes", "1.5, yes", "1.49, **no**"})
    void lowerLimitIsMetFromTheLimit(double measured, String verdict) {
        assertEquals(
                verdict,
                PerformanceGoal.atLeast(1.5, "", OptionalDouble.of(measured)).verdict());
    }

    @Test
    void goalsWithoutSamplesAreNotMeasured() {
        List<PerformanceGoal> goals = new PerformanceGoals(samples).all();

        assertTrue(goals.stream().allMatch(goal -> goal.verdict().equals("not measured")));
    }

    @Test
    void latencyIsComparedWithEachPeer() {
        measured(BenchCandidate.daemonName("getrandom"), BenchMetric.P50, 9);
        measured("peer rngd", BenchMetric.P50, 10);

        assertEquals(0.9, goal("peer rngd").measured().orElseThrow());
    }

    @Test
    void latencyIsComparedWithTheReference() {
        measured(BenchCandidate.daemonName("getrandom"), BenchMetric.P50, 9);
        measured(BenchCandidate.REFERENCE, BenchMetric.P50, 6);

        assertEquals(1.5, goal("one CPU: p50 ÷ C getrandom").measured().orElseThrow());
    }
}
