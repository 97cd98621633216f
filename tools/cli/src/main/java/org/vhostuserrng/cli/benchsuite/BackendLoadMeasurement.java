package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

/** What a stretch of load has cost the back-end, and how it was served. */
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

    /** The load begins now. */
    static BackendLoadMeasurement start(BenchBackendProcess backend) throws IOException {
        return new BackendLoadMeasurement(backend.procFiles());
    }

    /** The load has ended now. */
    void stop(BenchSamples samples, Key subject, Histogram latencies, long interrupts) throws IOException {
        long nanos = System.nanoTime() - startedAt;
        long cpu = backend.cpuNanos() - cpuBefore;
        double requests = latencies.getTotalCount();
        samples.add(subject, latencies);
        samples.add(subject, BenchMetric.P50, latencies.getValueAtPercentile(50) / NANOS_PER_MICRO);
        samples.add(subject, BenchMetric.P99, latencies.getValueAtPercentile(99) / NANOS_PER_MICRO);
        samples.add(subject, BenchMetric.P999, latencies.getValueAtPercentile(99.9) / NANOS_PER_MICRO);
        samples.add(subject, BenchMetric.MAX_LATENCY, latencies.getMaxValue() / NANOS_PER_MICRO);
        samples.add(subject, BenchMetric.RATE, requests * NANOS_PER_SECOND / nanos);
        if (requests > 0) {
            samples.add(subject, BenchMetric.CPU, cpu / NANOS_PER_MICRO / requests);
            samples.add(subject, BenchMetric.INTERRUPTS, interrupts / requests);
        }
    }
}
