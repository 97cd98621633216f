package org.vhostuserrng.cli.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.suite.Samples.Subject;
import org.vhostuserrng.cli.suite.SingleGuest.Case;

class GoalsTest {
    private final Samples samples = new Samples();

    private void measured(String candidate, Figure figure, double value) {
        String scenario = Case.ONE_AT_A_TIME.scenario(Placement.ONE_CPU);
        samples.add(new Subject(Section.SINGLE, scenario, candidate), figure, value);
    }

    private Goal goal(String text) {
        return new Goals(samples)
                .all().stream()
                        .filter(goal -> goal.text().contains(text))
                        .findFirst()
                        .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"0.8, yes", "0.9, yes", "0.904, yes", "0.91, **no**"})
    void mostIsMetUpToTheLimit(double measured, String verdict) {
        assertEquals(verdict, Goal.atMost(0.9, "", OptionalDouble.of(measured)).verdict());
    }

    @ParameterizedTest
    @CsvSource({"1.6, yes", "1.5, yes", "1.49, **no**"})
    void leastIsMetFromTheLimitOn(double measured, String verdict) {
        assertEquals(verdict, Goal.atLeast(1.5, "", OptionalDouble.of(measured)).verdict());
    }

    @Test
    void goalsOfANothingMeasuredAreNotMet() {
        List<Goal> goals = new Goals(samples).all();

        assertTrue(goals.stream().allMatch(goal -> goal.verdict().equals("not measured")));
    }

    @Test
    void latencyIsComparedWithEachPeer() {
        measured(Candidate.ourName("getrandom"), Figure.P50, 9);
        measured("peer rngd", Figure.P50, 10);

        assertEquals(0.9, goal("peer rngd").measured().orElseThrow());
    }

    @Test
    void latencyIsComparedWithTheReference() {
        measured(Candidate.ourName("getrandom"), Figure.P50, 9);
        measured(Candidate.REFERENCE, Figure.P50, 6);

        assertEquals(1.5, goal("one CPU: p50 ÷ C getrandom").measured().orElseThrow());
    }
}
