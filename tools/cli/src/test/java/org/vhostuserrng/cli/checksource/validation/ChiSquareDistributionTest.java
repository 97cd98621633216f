package org.vhostuserrng.cli.checksource.validation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChiSquareDistributionTest {
    /** Compares with quantiles of published tables. The approximation is better for more degrees of freedom. */
    @ParameterizedTest
    @CsvSource({
        "9, 27.877, 0.001",
        "9, 8.343, 0.5",
        "30, 59.703, 0.001",
        "100, 149.449, 0.001",
        "100, 135.807, 0.01",
        "255, 293.248, 0.05",
        "1000, 1143.917, 0.001"
    })
    void upperTailMatchesTheTables(double degrees, double chiSquare, double probability) {
        assertEquals(probability, ChiSquareDistribution.upperTail(chiSquare, degrees), 0.08 * probability);
    }
}
