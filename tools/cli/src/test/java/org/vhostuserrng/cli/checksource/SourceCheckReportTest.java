package org.vhostuserrng.cli.checksource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SourceCheckReportTest {
    private static SourceCheckReport report(String fault, int... bytes) {
        ByteStatistics statistics = new ByteStatistics();
        for (int each : bytes) {
            statistics.add(each);
        }
        return new SourceCheckReport("file:/x", fault, statistics, 5000);
    }

    private static int[] random(int length) {
        return new SplittableRandom(1).ints(length, 0, 256).toArray();
    }

    @Test
    void runsAndTransitionsAreCountedAcrossByteBoundaries() {
        ByteStatistics statistics = report("", 0x0f, 0xf8, 0x00).statistics();

        assertEquals(9, statistics.ones());
        assertEquals(11, statistics.longestRun());
        assertEquals(1, statistics.transitions(0, 1));
        assertEquals(1, statistics.transitions(1, 0));
    }

    @Test
    void chiSquareProbabilityOfRandomBytesIsNotExtreme() {
        double p = report("", random(1 << 20)).chiSquareProbability();

        assertTrue(p > 0.001 && p < 0.999, () -> "p = " + p);
    }

    @Test
    void chiSquareProbabilityOfBiasedBytesIsZero() {
        int[] bytes = random(1 << 20);
        for (int i = 0; i < bytes.length; i += 100) {
            bytes[i] = 0;
        }

        assertEquals(0, report("", bytes).chiSquareProbability(), 1e-6);
    }

    @Test
    void chiSquareProbabilityMatchesTheTables() {
        // All values occur 1000 times, except two that differ by d: chi-square is 2 d²/1000. The 95 % quantile for 255
        // degrees of freedom is 293.2.
        int[] bytes = new int[256_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i % 256;
        }
        for (int i = 0; i < 383; i++) {
            bytes[i * 256] = 1;
        }

        assertEquals(0.05, report("", bytes).chiSquareProbability(), 0.001);
    }

    @Test
    void jsonHasTheMetricsAndTheFault() throws Exception {
        String json = report("stuck \"really\"", random(5000)).json();

        assertTrue(
                json.startsWith("{\"source\":\"file:/x\",\"healthy\":false,\"fault\":\"stuck \\\"really\\\"\""), json);
        assertTrue(json.contains("\"bytes\":5000,\"bytesPerSecond\":5000.0,\"minEntropyPerByte\":"), json);
    }

    @Test
    void reportWithoutBytesHasNoMetrics() throws Exception {
        SourceCheckReport nothing = report("only 0 bytes received");
        StringWriter text = new StringWriter();
        nothing.print(new PrintWriter(text, true));

        assertFalse(nothing.isHealthy());
        assertEquals(
                "{\"source\":\"file:/x\",\"healthy\":false,\"fault\":\"only 0 bytes received\",\"bytes\":0}",
                nothing.json());
        assertFalse(text.toString().contains("NaN"), text::toString);
    }
}
