package org.vhostuserrng.cli.bench;

import java.io.PrintWriter;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * The result of a measurement.
 *
 * @param latencies request latencies in nanoseconds
 * @param bytes number of bytes that the device reported as written
 * @param interrupts number of interrupts that the device sent
 * @param nanos duration of the measurement
 */
public record BenchResult(Histogram latencies, long bytes, long interrupts, long nanos) {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MICRO = 1e3;

    public double requestsPerSecond() {
        return latencies.getTotalCount() * NANOS_PER_SECOND / nanos;
    }

    public double bytesPerSecond() {
        return bytes * NANOS_PER_SECOND / nanos;
    }

    public double interruptsPerRequest() {
        return latencies.getTotalCount() == 0 ? 0 : (double) interrupts / latencies.getTotalCount();
    }

    /** Latency in microseconds at a percentile from 0 to 100. */
    public double latency(double percentile) {
        return latencies.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
    }

    /** Prints one metric per line: its name, then its value. */
    void print(PrintWriter out) {
        print(out, "requests/s", requestsPerSecond(), 0);
        print(out, "bytes/s", bytesPerSecond(), 0);
        print(out, "latency p50 µs", latency(50), 2);
        print(out, "latency p90 µs", latency(90), 2);
        print(out, "latency p99 µs", latency(99), 2);
        print(out, "latency p99.9 µs", latency(99.9), 2);
        print(out, "latency max µs", latency(100), 2);
        print(out, "interrupts/request", interruptsPerRequest(), 3);
    }

    /** Prints a property in the same columns as the metrics. */
    static void printText(PrintWriter out, String name, String text) {
        out.println(String.format(Locale.ROOT, "%-20s %s", name, text));
    }

    private static void print(PrintWriter out, String name, double value, int decimals) {
        out.println(String.format(Locale.ROOT, "%-20s %16." + decimals + "f", name, value));
    }
}
