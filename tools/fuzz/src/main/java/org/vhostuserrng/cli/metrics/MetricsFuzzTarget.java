package org.vhostuserrng.cli.metrics;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.vhostuserrng.cli.counters.CountersFileParser;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.InvalidCountersFileException;

/**
 * Exports an arbitrary counters file in all formats.
 *
 * <p>Input: the bytes of the file.
 */
public final class MetricsFuzzTarget {
    private MetricsFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(bytes.clone(), 0, bytes.length / Long.BYTES * Long.BYTES)
                .order(ByteOrder.nativeOrder());
        CountersSnapshot snapshot;
        try {
            snapshot = new CountersFileParser(file).parse(Instant.EPOCH, 0, true);
        } catch (InvalidCountersFileException damaged) {
            requireOneLine(damaged.getMessage());
            return;
        }
        String openMetrics = new String(MetricsFormat.OPEN_METRICS.write(snapshot), StandardCharsets.UTF_8);
        require(openMetrics.endsWith("# EOF\n"), "OpenMetrics text without its end");
        openMetrics.lines().forEach(line -> requireOneLine(line));
        require(MetricsFormat.PROMETHEUS.write(snapshot).length > 0, "no metrics");
        require(StatusPage.of(snapshot).endsWith("</html>\n"), "status page without its end");
    }
}
