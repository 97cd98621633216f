package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

/** Many guests of one back-end: how they come up together, idle, and ask. */
final class ManyGuestsBenchmark {
    /** Requests in flight of all guests together. */
    static final int IN_FLIGHT = 16;

    private static final long PACED_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1) / 10_000;
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BenchSuiteContext bench;

    ManyGuestsBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        for (int guests : bench.parameters().guests()) {
            bench.candidates().peers().stream()
                    .filter(peer -> guests > 1 && !peer.servesManyGuests())
                    .forEach(peer -> bench.note(GuestCountLabel.label(guests) + ": " + peer.name()
                            + ": its command has no " + BenchCandidate.GUESTS_PLACEHOLDER));
            inRounds(guests, CpuPlacement.ONE_CPU, this::connectAndLoad);
        }
        if (CpuPlacement.TWO_CPUS.isPossible()) {
            inRounds(bench.parameters().maxGuests(), CpuPlacement.TWO_CPUS, this::pacedLoad);
        } else {
            bench.note("10,000 requests/s: the guests need a CPU of their own");
        }
    }

    /** One back-end's turn in a round. */
    private interface LoadMeasurement {
        long measure(BenchBackendProcess backend, String scenario, boolean first)
                throws IOException, InterruptedException;
    }

    private void inRounds(int guests, CpuPlacement placement, LoadMeasurement turn)
            throws IOException, InterruptedException {
        List<BenchCandidate> candidates = bench.candidates().forManyGuests(guests);
        String scenario = scenario(guests, placement);
        placement.pinGuests();
        try (MeasuredBackends backends = MeasuredBackends.start(bench, candidates, guests, placement)) {
            for (int round = 0; round < bench.parameters().rounds(); round++) {
                bench.progress().accept("many guests, " + scenario + ", round " + (round + 1));
                boolean first = round == 0;
                backends.each(backend -> turn.measure(backend, scenario, first));
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
        Key subject =
                new Key(BenchReportSection.MANY, scenario, backend.candidate().name());
        BenchSamples samples = bench.samples();
        long began = System.nanoTime();
        try (MultiGuestLoadGenerator crowd = MultiGuestLoadGenerator.connect(backend.sockets())) {
            double connected = System.nanoTime() - began;
            samples.add(
                    subject, BenchMetric.CONNECT, connected / backend.sockets().size() / NANOS_PER_MICRO);
            samples.add(subject, BenchMetric.CONNECT_BURST, crowd.requestBurst() / NANOS_PER_MILLI);
            Histogram storm = crowd.latencies();
            samples.add(subject, BenchMetric.CONNECT_BURST_P99, storm.getValueAtPercentile(99) / NANOS_PER_MILLI);
            crowd.keepInFlight(IN_FLIGHT, warmUp(first));
            crowd.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            crowd.keepInFlight(IN_FLIGHT, bench.parameters().measureTime().toNanos());
            load.stop(samples, subject, crowd.latencies(), crowd.readInterrupts());
            samples.add(subject, BenchMetric.IDLE, idleCpuMicros(backend));
            return Math.max(storm.getMaxValue(), crowd.latencies().getMaxValue());
        }
    }

    private long pacedLoad(BenchBackendProcess backend, String scenario, boolean first) throws IOException {
        Key subject =
                new Key(BenchReportSection.PACED, scenario, backend.candidate().name());
        try (MultiGuestLoadGenerator crowd = MultiGuestLoadGenerator.connect(backend.sockets())) {
            crowd.requestEvery(PACED_INTERVAL_NANOS, warmUp(first));
            crowd.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            crowd.requestEvery(
                    PACED_INTERVAL_NANOS, bench.parameters().measureTime().toNanos());
            load.stop(bench.samples(), subject, crowd.latencies(), crowd.readInterrupts());
            return crowd.latencies().getMaxValue();
        }
    }

    private long warmUp(boolean first) {
        return (first ? bench.parameters().firstWarmUp() : bench.parameters().warmUp()).toNanos();
    }

    /** Microseconds of CPU in a second in which no guest asks. */
    private double idleCpuMicros(BenchBackendProcess backend) throws IOException, InterruptedException {
        // What it has yet to do about the load before, compile it for one, is not idling.
        TimeUnit.NANOSECONDS.sleep(bench.parameters().warmUp().toNanos());
        long began = System.nanoTime();
        long before = backend.procFiles().cpuNanos();
        TimeUnit.NANOSECONDS.sleep(bench.parameters().measureTime().toNanos());
        double used = backend.procFiles().cpuNanos() - before;
        return used * TimeUnit.SECONDS.toMicros(1) / (System.nanoTime() - began);
    }
}
