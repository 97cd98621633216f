package org.vhostuserrng.cli.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.counters.CountersFileBuilder;

/** Tests the exported metrics. */
class MetricsFormatTest {
    @TempDir
    private Path directory;

    private static String text(MetricsFormat format, CountersFileBuilder file) throws IOException {
        return new String(format.write(file.parse(0)), StandardCharsets.UTF_8);
    }

    @Test
    void openMetricsTextHasCountersWithUnitsAndAnEnd() throws IOException {
        String text = text(MetricsFormat.OPEN_METRICS, new CountersFileBuilder().guest("vm", 100));

        List<String> lines = text.lines().toList();
        assertTrue(lines.contains("# UNIT vhost_user_rng_guest_bytes bytes"), text);
        assertTrue(lines.contains("vhost_user_rng_guest_bytes_total{guest=\"vm\"} 100.0"), text);
        assertTrue(lines.contains("vhost_user_rng_up 1.0"), text);
        assertEquals("# EOF", lines.getLast());
    }

    @Test
    void latencyIsACumulativeHistogramInSeconds() throws IOException {
        String text = text(MetricsFormat.OPEN_METRICS, new CountersFileBuilder().guest("vm", 0, 0, 0, 0, 0, 5, 6, 7));

        assertTrue(text.contains("latency_seconds_bucket{guest=\"vm\",le=\"1.0E-6\"} 5\n"), text);
        assertTrue(text.contains("latency_seconds_bucket{guest=\"vm\",le=\"2.0E-6\"} 11\n"), text);
        assertTrue(text.contains("latency_seconds_bucket{guest=\"vm\",le=\"+Inf\"} 18\n"), text);
        assertTrue(text.contains("latency_seconds_count{guest=\"vm\"} 18\n"), text);
    }

    @Test
    void namesWithOddCharactersAreEscaped() throws IOException {
        String text = text(MetricsFormat.OPEN_METRICS, new CountersFileBuilder().guest("a\"b\\c\nd", 1));

        assertTrue(text.contains("vhost_user_rng_guest_bytes_total{guest=\"a\\\"b\\\\c?d\"} 1.0\n"), text);
    }

    @Test
    void metricsWithoutGuestsAreValid() throws IOException {
        assertTrue(text(MetricsFormat.PROMETHEUS, new CountersFileBuilder()).contains("vhost_user_rng_guests 0.0\n"));
    }

    @Test
    void textfileIsReplacedAsAWhole() throws IOException {
        Path file = directory.resolve("rng.prom");
        Files.writeString(file, "old");

        MetricsTextfile.replace(file, new byte[] {'n', 'e', 'w'});

        assertEquals("new", Files.readString(file));
        try (var files = Files.list(directory)) {
            assertEquals(List.of(file), files.toList());
        }
    }
}
