package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares estimates of NIST's sample data with those of NIST's tool. The data is not part of the repository. It is in
 * the directory {@code -Dsp800-90b.data} or in one beside the repository; otherwise the tests are skipped.
 */
class NistSampleDataTest {
    private static final String DATA_PROPERTY = "sp800-90b.data";
    private static final Pattern RESULT =
            Pattern.compile("(Literal|Bitstring) (.+?)(?: Prediction)? Estimate: min entropy = (\\S+)");
    /** Names of the estimators in NIST's results. The name at index i is that of section 6.3.(i + 1). */
    private static final List<String> NAMES = List.of(
            "Most Common Value",
            "Collision",
            "Markov",
            "Compression",
            "t-Tuple",
            "LRS",
            "MultiMCW",
            "Lag",
            "MultiMMC",
            "LZ78Y");

    private static Path directory() {
        String stated = System.getProperty(DATA_PROPERTY);
        if (stated != null) {
            return Path.of(stated);
        }
        // The path is relative to tools/cli, because Maven runs the tests in the directory of their module.
        return Path.of("../../../shared/data/sp800-90b");
    }

    @ParameterizedTest
    @CsvSource({"biased-random-bytes, 8", "normal, 8", "rand4_short, 4", "rand8_short, 8", "ringOsc-nist, 1"})
    void estimatesAreWithinOnePercentOfNistsTool(String name, int width) throws IOException, InterruptedException {
        Path samples = directory().resolve(name + ".bin");
        boolean available = Files.isReadable(samples);
        if (!available) {
            System.err.println("SKIPPED: no NIST sample data "
                    + samples.toAbsolutePath().normalize() + "; set -D" + DATA_PROPERTY + "=DIRECTORY");
        }
        assumeTrue(available, () -> "no " + samples);

        MinEntropyAssessment assessment = MinEntropyAssessment.of(Files.readAllBytes(samples), width, () -> {});

        int compared = 0;
        for (String line : Files.readAllLines(directory().resolve(name + ".res"))) {
            Matcher result = RESULT.matcher(line);
            if (result.matches()) {
                String section = "6.3." + (NAMES.indexOf(result.group(2)) + 1);
                double expected = Double.parseDouble(result.group(3));
                assertEquals(expected, bits(assessment, section, result.group(1)), 0.01 * expected, line);
                compared++;
            }
        }
        assertEquals(assessment.results().size(), compared);
    }

    private static double bits(MinEntropyAssessment assessment, String section, String data) {
        return assessment.results().stream()
                .filter(result -> result.section().equals(section) && result.ofBits() == data.equals("Bitstring"))
                .findFirst()
                .orElseThrow()
                .bits();
    }
}
