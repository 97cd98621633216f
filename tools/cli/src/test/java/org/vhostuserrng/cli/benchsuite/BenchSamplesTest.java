package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

class BenchSamplesTest {
    private static final Key OURS = new Key(BenchReportSection.SINGLE, "load", "vhost-user-rng getrandom");
    private static final Key REFERENCE = new Key(BenchReportSection.SINGLE, "load", BenchCandidate.REFERENCE);

    private final BenchSamples samples = new BenchSamples();

    @Test
    void medianOfAnOddNumberIsTheMiddleOne() {
        assertEquals(3, BenchSamples.median(List.of(9.0, 1.0, 3.0)));
    }

    @Test
    void medianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
        assertEquals(2.5, BenchSamples.median(List.of(4.0, 1.0, 3.0, 2.0)));
    }

    @Test
    void nothingHasNoMedian() {
        assertThrows(IllegalArgumentException.class, () -> BenchSamples.median(List.of()));
        assertTrue(samples.median(OURS, BenchMetric.RATE).isEmpty());
    }

    @Test
    void ratioIsThatOfTheMedians() {
        samples.add(OURS, BenchMetric.RATE, 10);
        samples.add(OURS, BenchMetric.RATE, 30);
        samples.add(OURS, BenchMetric.RATE, 1000);
        samples.add(REFERENCE, BenchMetric.RATE, 20);

        assertEquals(
                1.5,
                samples.ratio(OURS, BenchMetric.RATE, BenchCandidate.REFERENCE).orElseThrow());
    }

    @Test
    void thereIsNoRatioToWhatWasMeasuredUnderAnotherLoad() {
        samples.add(OURS, BenchMetric.RATE, 10);
        samples.add(new Key(BenchReportSection.SINGLE, "another", BenchCandidate.REFERENCE), BenchMetric.RATE, 20);

        assertTrue(
                samples.ratio(OURS, BenchMetric.RATE, BenchCandidate.REFERENCE).isEmpty());
    }

    @Test
    void thereIsNoRatioToNothing() {
        samples.add(OURS, BenchMetric.IDLE, 10);
        samples.add(REFERENCE, BenchMetric.IDLE, 0);

        assertTrue(
                samples.ratio(OURS, BenchMetric.IDLE, BenchCandidate.REFERENCE).isEmpty());
    }

    @Test
    void latenciesOfAllRoundsAreOneDistribution() {
        Histogram round = new Histogram(1000, 3);
        round.recordValue(10);
        samples.add(OURS, round);
        round.reset();
        round.recordValue(20);
        samples.add(OURS, round);

        Histogram all = samples.latencies().get(OURS);
        assertEquals(2, all.getTotalCount());
        assertEquals(10, all.getMinValue());
        assertEquals(20, all.getMaxValue());
    }

    @Test
    void sameRemarkIsKeptOnce() {
        samples.note("no compiler");
        samples.note("no compiler");

        assertEquals(List.of("no compiler"), samples.notes());
    }
}
