package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** Tests that the estimates of generated samples equal those of NIST's tool. */
class ReferenceResultsTest {
    private static final double TOLERANCE = 1e-6;
    private static final Map<GeneratedSamples, MinEntropyAssessment> ASSESSMENTS =
            new EnumMap<>(GeneratedSamples.class);

    @BeforeAll
    static void assess() throws InterruptedException {
        for (GeneratedSamples samples : GeneratedSamples.values()) {
            ASSESSMENTS.put(samples, MinEntropyAssessment.of(samples.bytes(), samples.width(), () -> {}));
        }
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @CsvFileSource(resources = "reference-results.csv")
    void estimateEqualsThatOfTheReference(GeneratedSamples samples, String section, String data, double expected) {
        MinEntropyAssessment assessment = ASSESSMENTS.get(samples);

        double bits = data.equals("assessed") ? assessment.perSample() : bits(assessment, section, data.equals("bits"));

        assertEquals(expected, bits, TOLERANCE);
    }

    private static double bits(MinEntropyAssessment assessment, String section, boolean ofBits) {
        return assessment.results().stream()
                .filter(result -> result.section().equals(section) && result.ofBits() == ofBits)
                .findFirst()
                .orElseThrow()
                .bits();
    }
}
