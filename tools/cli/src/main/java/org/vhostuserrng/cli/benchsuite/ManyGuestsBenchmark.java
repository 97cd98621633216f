package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

/**
 * Measures a back-end with many guests: a burst of connections, a constant number of requests in flight, no requests,
 * and requests at a constant rate.
 */
final class ManyGuestsBenchmark {
    /** Number of in-flight requests of all guests together. */
    static final int IN_FLIGHT = 16;

    private static final long PACED_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1) / 10_000;
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BenchSuiteContext bench;

    ManyGuestsBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Runs all measurements. */
    void run() throws IOException, InterruptedException {
        for (int guests : bench.parameters().guests()) {
            bench.candidates().peers().stream()
                    .filter(peer -> guests > 1 && !peer.servesManyGuests())
                    .forEach(peer -> bench.note(GuestCountLabel.label(guests) + ": " + peer.name()
                            + ": the command has no " + BenchCandidate.GUESTS_PLACEHOLDER));
            inRounds(guests, CpuPlacement.ONE_CPU, this::connectAndLoad);
        }
        if (CpuPlacement.TWO_CPUS.isPossible()) {
            inRounds(bench.parameters().maxGuests(), CpuPlacement.TWO_CPUS, this::pacedLoad);
        } else {
            bench.note("10,000 requests/s: needs two CPUs");
        }
    }

    /** Measures one back-end in one round; returns the maximum latency in nanoseconds. */
    private interface LoadMeasurement {
        long measure(BenchBackendProcess backend, String scenario, boolean first)
                throws IOException, InterruptedException;
    }

    private void inRounds(int guests, CpuPlacement placement, LoadMeasurement measurement)
            throws IOException, InterruptedException {
        List<BenchCandidate> candidates = bench.candidates().forManyGuests(guests);
        String scenario = scenario(guests, placement);
        placement.pinGuests();
        try (MeasuredBackends backends = MeasuredBackends.start(bench, candidates, guests, placement)) {
            for (int round = 0; round < bench.parameters().rounds(); round++) {
                bench.progress().accept("many guests, " + scenario + ", round " + (round + 1));
                boolean first = round == 0;
                backends.each(backend -> measurement.measure(backend, scenario, first));
            }
        } finally {
            CpuPlacement.unpinGuests();
        }
    }

    static String scenario(int guests, CpuPlacement placement) {
        return GuestCountLabel.label(guests) + ", " + placement.label();
    }

    private long connectAndLoad(BenchBackendProcess backend, String scenario, boolean first)
            throws IOException, InterruptedException {
        SampleKey key = new SampleKey(
                BenchReportSection.MANY, scenario, backend.candidate().name());
        BenchSamples samples = bench.samples();
        long start = System.nanoTime();
        try (MultiGuestLoadGenerator generator = MultiGuestLoadGenerator.connect(backend.sockets())) {
            double connected = System.nanoTime() - start;
            samples.add(key, BenchMetric.CONNECT, connected / backend.sockets().size() / NANOS_PER_MICRO);
            samples.add(key, BenchMetric.CONNECT_BURST, generator.requestBurst() / NANOS_PER_MILLI);
            Histogram burst = generator.latencies();
            samples.add(key, BenchMetric.CONNECT_BURST_P99, burst.getValueAtPercentile(99) / NANOS_PER_MILLI);
            generator.keepInFlight(IN_FLIGHT, warmUp(first));
            generator.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            generator.keepInFlight(IN_FLIGHT, bench.parameters().measureTime().toNanos());
            load.stop(samples, key, generator.latencies(), generator.readInterrupts());
            samples.add(key, BenchMetric.IDLE, idleCpuMicros(backend));
            return Math.max(burst.getMaxValue(), generator.latencies().getMaxValue());
        }
    }

    private long pacedLoad(BenchBackendProcess backend, String scenario, boolean first) throws IOException {
        SampleKey key = new SampleKey(
                BenchReportSection.PACED, scenario, backend.candidate().name());
        try (MultiGuestLoadGenerator generator = MultiGuestLoadGenerator.connect(backend.sockets())) {
            generator.requestEvery(PACED_INTERVAL_NANOS, warmUp(first));
            generator.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            generator.requestEvery(
                    PACED_INTERVAL_NANOS, bench.parameters().measureTime().toNanos());
            load.stop(bench.samples(), key, generator.latencies(), generator.readInterrupts());
            return generator.latencies().getMaxValue();
        }
    }

    private long warmUp(boolean first) {
        return (first ? bench.parameters().firstWarmUp() : bench.parameters().warmUp()).toNanos();
    }

    /** Returns the CPU time of the back-end in microseconds per second while no guest sends requests. */
    private double idleCpuMicros(BenchBackendProcess backend) throws IOException, InterruptedException {
        // Wait until work that the previous load caused, such as JIT compilation, is done, so that it is not measured.
        TimeUnit.NANOSECONDS.sleep(bench.parameters().warmUp().toNanos());
        long start = System.nanoTime();
        long before = backend.procFiles().cpuNanos();
        TimeUnit.NANOSECONDS.sleep(bench.parameters().measureTime().toNanos());
        double used = backend.procFiles().cpuNanos() - before;
        return used * TimeUnit.SECONDS.toMicros(1) / (System.nanoTime() - start);
    }
}
