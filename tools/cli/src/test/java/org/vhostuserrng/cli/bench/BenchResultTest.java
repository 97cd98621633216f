package org.vhostuserrng.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class BenchResultTest {
    private static final long HALF_A_SECOND = 500_000_000L;

    private static BenchResult result() {
        Histogram latencies = new Histogram(1_000_000_000L, 3);
        for (int micros = 1; micros <= 100; micros++) {
            latencies.recordValue(micros * 1000L);
        }
        return new BenchResult(latencies, 6400, 50, HALF_A_SECOND);
    }

    @Test
    void ratesArePerSecond() {
        assertEquals(200, result().requestsPerSecond());
        assertEquals(12800, result().bytesPerSecond());
    }

    @Test
    void interruptsArePerRequest() {
        assertEquals(0.5, result().interruptsPerRequest());
    }

    @Test
    void latenciesAreInMicroseconds() {
        assertEquals(50, result().latency(50), 0.1);
        assertEquals(99, result().latency(99), 0.1);
        assertEquals(100, result().latency(100), 0.1);
    }

    @Test
    void interruptsPerRequestAreZeroWithoutRequests() {
        BenchResult nothing = new BenchResult(new Histogram(1000, 3), 0, 3, HALF_A_SECOND);

        assertEquals(0, nothing.interruptsPerRequest());
    }

    @Test
    void printsOneMetricPerLine() {
        StringWriter out = new StringWriter();

        result().print(new PrintWriter(out, true));

        List<String> lines = out.toString().lines().toList();
        assertEquals(8, lines.size());
        assertEquals("requests/s                        200", lines.getFirst());
    }
}
