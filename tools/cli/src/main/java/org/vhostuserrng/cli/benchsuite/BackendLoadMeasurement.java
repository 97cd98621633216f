package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

/** Measures latency, throughput and CPU time of a back-end between {@link #start} and {@link #stop}. */
final class BackendLoadMeasurement {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MICRO = 1e3;

    private final ProcPidReader backend;
    private final long cpuBefore;
    private final long startedAt;

    private BackendLoadMeasurement(ProcPidReader backend) throws IOException {
        this.backend = backend;
        this.cpuBefore = backend.cpuNanos();
        this.startedAt = System.nanoTime();
    }

    /** Starts the measurement. */
    static BackendLoadMeasurement start(BenchBackendProcess backend) throws IOException {
        return new BackendLoadMeasurement(backend.procFiles());
    }

    /** Ends the measurement and adds its results to {@code samples}. Latencies are in nanoseconds. */
    void stop(BenchSamples samples, SampleKey key, Histogram latencies, long interrupts) throws IOException {
        long nanos = System.nanoTime() - startedAt;
        long cpu = backend.cpuNanos() - cpuBefore;
        double requests = latencies.getTotalCount();
        samples.add(key, latencies);
        samples.add(key, BenchMetric.P50, latencies.getValueAtPercentile(50) / NANOS_PER_MICRO);
        samples.add(key, BenchMetric.P99, latencies.getValueAtPercentile(99) / NANOS_PER_MICRO);
        samples.add(key, BenchMetric.P999, latencies.getValueAtPercentile(99.9) / NANOS_PER_MICRO);
        samples.add(key, BenchMetric.MAX_LATENCY, latencies.getMaxValue() / NANOS_PER_MICRO);
        samples.add(key, BenchMetric.RATE, requests * NANOS_PER_SECOND / nanos);
        if (requests > 0) {
            samples.add(key, BenchMetric.CPU, cpu / NANOS_PER_MICRO / requests);
            samples.add(key, BenchMetric.INTERRUPTS, interrupts / requests);
        }
    }
}
