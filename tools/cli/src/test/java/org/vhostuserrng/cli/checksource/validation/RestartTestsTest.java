package org.vhostuserrng.cli.checksource.validation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.checksource.estimator.EstimatorResult;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;

class RestartTestsTest {
    private static final int SIZE = RestartSamples.RESTARTS * RestartSamples.SAMPLES;

    private static MinEntropyAssessment assessment(double bits) {
        return new MinEntropyAssessment(8, List.of(new EstimatorResult("lag", "6.3.8", false, bits)), List.of());
    }

    private static List<Boolean> passed(RestartSamples matrix, double initial, double rows, double columns) {
        return RestartTests.of(matrix, initial, 1, assessment(rows), assessment(columns)).stream()
                .map(TestResult::passed)
                .toList();
    }

    private static byte[] random() {
        byte[] bytes = new byte[SIZE];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @Test
    void differentSequencesPass() {
        assertEquals(List.of(true, true, true), passed(new RestartSamples(random()), 8, 7, 7));
    }

    @Test
    void sameSequenceAfterEachRestartHasColumnsOfEqualSamples() {
        byte[] same = random();
        for (int i = RestartSamples.SAMPLES; i < SIZE; i++) {
            same[i] = same[i - RestartSamples.SAMPLES];
        }

        assertEquals(List.of(false, true, true), passed(new RestartSamples(same), 7, 7, 7));
    }

    @Test
    void sameFirstSampleAfterEachRestartFails() {
        byte[] bytes = random();
        for (int row = 0; row < RestartSamples.RESTARTS; row++) {
            bytes[row * RestartSamples.SAMPLES] = (byte) (row % 16);
        }

        assertEquals(List.of(false, true, true), passed(new RestartSamples(bytes), 7, 7, 7));
    }

    @Test
    void estimateBelowHalfOfTheInitialOneFails() {
        assertEquals(List.of(true, false, true), passed(new RestartSamples(random()), 7, 3.4, 3.6));
        assertEquals(List.of(true, true, false), passed(new RestartSamples(random()), 7, 3.6, 3.4));
    }

    @Test
    void estimateBelowTheClaimFails() {
        assertEquals(List.of(true, false, true), passed(new RestartSamples(random()), 1.5, 0.9, 1));
    }

    @Test
    void columnsAreTheTransposedRows() {
        byte[] rows = new byte[SIZE];
        rows[1] = 1;
        rows[RestartSamples.SAMPLES] = 2;

        byte[] columns = new RestartSamples(rows).columns();

        assertEquals(1, columns[RestartSamples.RESTARTS]);
        assertEquals(2, columns[1]);
    }

    /** The expected limits were computed with exact fractions. */
    @ParameterizedTest
    @CsvSource({"0, 1001", "1, 573", "2, 317", "4, 105", "8, 20"})
    void limitOfTheMostCommonValue(double minEntropy, int limit) {
        assertEquals(limit, RestartTests.limit(minEntropy));
    }

    @Test
    void otherSizeIsRefused() {
        String message = assertThrows(IllegalArgumentException.class, () -> new RestartSamples(new byte[999]))
                .getMessage();

        assertTrue(message.contains("999"), message);
    }
}
