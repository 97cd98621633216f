package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

class BenchSamplesTest {
    private static final SampleKey DAEMON =
            new SampleKey(BenchReportSection.SINGLE, "load", "vhost-user-rng getrandom");
    private static final SampleKey REFERENCE =
            new SampleKey(BenchReportSection.SINGLE, "load", BenchCandidate.REFERENCE);

    private final BenchSamples samples = new BenchSamples();

    @Test
    void medianOfAnOddNumberOfValuesIsTheMiddleOne() {
        assertEquals(3, BenchSamples.median(List.of(9.0, 1.0, 3.0)));
    }

    @Test
    void medianOfAnEvenNumberOfValuesIsTheMeanOfTheMiddleTwo() {
        assertEquals(2.5, BenchSamples.median(List.of(4.0, 1.0, 3.0, 2.0)));
    }

    @Test
    void noValuesHaveNoMedian() {
        assertThrows(IllegalArgumentException.class, () -> BenchSamples.median(List.of()));
        assertTrue(samples.median(DAEMON, BenchMetric.RATE).isEmpty());
    }

    @Test
    void ratioIsTheRatioOfTheMedians() {
        samples.add(DAEMON, BenchMetric.RATE, 10);
        samples.add(DAEMON, BenchMetric.RATE, 30);
        samples.add(DAEMON, BenchMetric.RATE, 1000);
        samples.add(REFERENCE, BenchMetric.RATE, 20);

        assertEquals(
                1.5,
                samples.ratio(DAEMON, BenchMetric.RATE, BenchCandidate.REFERENCE)
                        .orElseThrow());
    }

    @Test
    void ratioToAnotherScenarioIsEmpty() {
        samples.add(DAEMON, BenchMetric.RATE, 10);
        samples.add(
                new SampleKey(BenchReportSection.SINGLE, "another", BenchCandidate.REFERENCE), BenchMetric.RATE, 20);

        assertTrue(samples.ratio(DAEMON, BenchMetric.RATE, BenchCandidate.REFERENCE)
                .isEmpty());
    }

    @Test
    void ratioToZeroIsEmpty() {
        samples.add(DAEMON, BenchMetric.IDLE, 10);
        samples.add(REFERENCE, BenchMetric.IDLE, 0);

        assertTrue(samples.ratio(DAEMON, BenchMetric.IDLE, BenchCandidate.REFERENCE)
                .isEmpty());
    }

    @Test
    void latenciesOfAllRoundsAreMerged() {
        Histogram round = new Histogram(1000, 3);
        round.recordValue(10);
        samples.add(DAEMON, round);
        round.reset();
        round.recordValue(20);
        samples.add(DAEMON, round);

        Histogram all = samples.latencies().get(DAEMON);
        assertEquals(2, all.getTotalCount());
        assertEquals(10, all.getMinValue());
        assertEquals(20, all.getMaxValue());
    }

    @Test
    void duplicateNoteIsKeptOnce() {
        samples.note("no compiler");
        samples.note("no compiler");

        assertEquals(List.of("no compiler"), samples.notes());
    }
}
