package org.vhostuserrng.cli.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.counters.CountersFileBuilder;

/**
 * Tests that the files in {@code monitoring} use metrics that exist, and that Prometheus's promtool accepts the alert
 * rules and the metrics. Without promtool (Debian package prometheus), the two tests that run it are skipped.
 */
class PromtoolTest {
    private static final String PROMTOOL = "promtool";
    private static final Path ALERTS = Path.of("monitoring/alerts.yml");
    private static final Path DASHBOARD = Path.of("monitoring/grafana-dashboard.json");
    private static final Pattern METRIC = Pattern.compile("vhost_user_rng_[a-z_]+");

    @TempDir
    private Path directory;

    private static CountersFileBuilder counters() {
        return new CountersFileBuilder().guest("vm", 100, 2, 0, 1, 1, 1, 1, 1);
    }

    /** Returns the names of all samples, including suffixes such as {@code _total} and {@code _bucket}. */
    private static Set<String> samples() throws IOException {
        String text = new String(MetricsFormat.PROMETHEUS.write(counters().parse(0)), StandardCharsets.UTF_8);
        return names(text);
    }

    private static Set<String> names(String text) {
        return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
    }

    private void assertAccepted(Path input, String... arguments) throws IOException, InterruptedException {
        assumeTrue(isInstalled(), "SKIPPED: promtool is not installed (Debian package prometheus)");
        Path output = directory.resolve("output");
        List<String> command =
                Stream.concat(Stream.of(PROMTOOL), Arrays.stream(arguments)).toList();
        int status = new ProcessBuilder(command)
                .redirectInput(input.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        assertEquals(0, status, () -> read(output));
    }

    private static boolean isInstalled() {
        return Arrays.stream(System.getenv("PATH").split(":", -1))
                .anyMatch(entry -> Files.isExecutable(Path.of(entry, PROMTOOL)));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }

    @Test
    void promtoolAcceptsTheMetrics() throws IOException, InterruptedException {
        Path metrics = directory.resolve("metrics");
        Files.write(metrics, MetricsFormat.PROMETHEUS.write(counters().parse(0)));

        assertAccepted(metrics, "check", "metrics");
    }

    @Test
    void promtoolAcceptsTheAlertRules() throws IOException, InterruptedException {
        assertAccepted(ALERTS, "check", "rules", ALERTS.toString());
    }

    @Test
    void alertRulesUseMetricsThatExist() throws IOException {
        Set<String> used = names(Files.readString(ALERTS));

        assertTrue(samples().containsAll(used), () -> used.toString());
    }

    @Test
    void dashboardIsJsonAndUsesMetricsThatExist() throws IOException {
        Set<String> used = new TreeSet<>();
        try (JsonParser json = new JsonFactory().createParser(Files.newBufferedReader(DASHBOARD))) {
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (token == JsonToken.VALUE_STRING) {
                    used.addAll(names(json.getText()));
                }
            }
        }

        assertTrue(used.size() > 10, used::toString);
        assertTrue(samples().containsAll(used), used::toString);
    }
}
