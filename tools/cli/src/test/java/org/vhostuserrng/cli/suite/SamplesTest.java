package org.vhostuserrng.cli.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.cli.suite.Samples.Subject;

class SamplesTest {
    private static final Subject OURS = new Subject(Section.SINGLE, "load", "vhost-user-rng getrandom");
    private static final Subject REFERENCE = new Subject(Section.SINGLE, "load", Candidate.REFERENCE);

    private final Samples samples = new Samples();

    @Test
    void medianOfAnOddNumberIsTheMiddleOne() {
        assertEquals(3, Samples.median(List.of(9.0, 1.0, 3.0)));
    }

    @Test
    void medianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
        assertEquals(2.5, Samples.median(List.of(4.0, 1.0, 3.0, 2.0)));
    }

    @Test
    void nothingHasNoMedian() {
        assertThrows(IllegalArgumentException.class, () -> Samples.median(List.of()));
        assertTrue(samples.median(OURS, Figure.RATE).isEmpty());
    }

    @Test
    void ratioIsThatOfTheMedians() {
        samples.add(OURS, Figure.RATE, 10);
        samples.add(OURS, Figure.RATE, 30);
        samples.add(OURS, Figure.RATE, 1000);
        samples.add(REFERENCE, Figure.RATE, 20);

        assertEquals(1.5, samples.ratio(OURS, Figure.RATE, Candidate.REFERENCE).orElseThrow());
    }

    @Test
    void thereIsNoRatioToWhatWasMeasuredUnderAnotherLoad() {
        samples.add(OURS, Figure.RATE, 10);
        samples.add(new Subject(Section.SINGLE, "another", Candidate.REFERENCE), Figure.RATE, 20);

        assertTrue(samples.ratio(OURS, Figure.RATE, Candidate.REFERENCE).isEmpty());
    }

    @Test
    void thereIsNoRatioToNothing() {
        samples.add(OURS, Figure.IDLE, 10);
        samples.add(REFERENCE, Figure.IDLE, 0);

        assertTrue(samples.ratio(OURS, Figure.IDLE, Candidate.REFERENCE).isEmpty());
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
        samples.remark("no compiler");
        samples.remark("no compiler");

        assertEquals(List.of("no compiler"), samples.remarks());
    }
}
