package org.vhostuserrng.cli.suite;

import java.io.IOException;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.suite.Samples.Subject;

/** What a stretch of load has cost the back-end, and how it was served. */
final class Load {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MICRO = 1e3;

    private final ProcessFiles backend;
    private final long cpuBefore;
    private final long began;

    private Load(ProcessFiles backend) throws IOException {
        this.backend = backend;
        this.cpuBefore = backend.cpuNanos();
        this.began = System.nanoTime();
    }

    /** The load begins now. */
    static Load begin(Backend backend) throws IOException {
        return new Load(backend.files());
    }

    /** The load has ended now. */
    void end(Samples samples, Subject subject, Histogram latencies, long interrupts) throws IOException {
        long nanos = System.nanoTime() - began;
        long cpu = backend.cpuNanos() - cpuBefore;
        double requests = latencies.getTotalCount();
        samples.add(subject, latencies);
        samples.add(subject, Figure.P50, latencies.getValueAtPercentile(50) / NANOS_PER_MICRO);
        samples.add(subject, Figure.P99, latencies.getValueAtPercentile(99) / NANOS_PER_MICRO);
        samples.add(subject, Figure.P999, latencies.getValueAtPercentile(99.9) / NANOS_PER_MICRO);
        samples.add(subject, Figure.WORST, latencies.getMaxValue() / NANOS_PER_MICRO);
        samples.add(subject, Figure.RATE, requests * NANOS_PER_SECOND / nanos);
        if (requests > 0) {
            samples.add(subject, Figure.CPU, cpu / NANOS_PER_MICRO / requests);
            samples.add(subject, Figure.INTERRUPTS, interrupts / requests);
        }
    }
}
