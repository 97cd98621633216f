package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Subject;

/** Many guests of one back-end: how they come up together, idle, and ask. */
final class ManyGuestsBenchmark {
    /** Requests in flight of all guests together. */
    static final int IN_FLIGHT = 16;

    private static final long PACED_INTERVAL = TimeUnit.SECONDS.toNanos(1) / 10_000;
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BenchSuiteContext bench;

    ManyGuestsBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        for (int guests : bench.pace().guests()) {
            bench.lineup().peers().stream()
                    .filter(peer -> guests > 1 && !peer.servesMany())
                    .forEach(peer -> bench.remark(GuestCountLabel.label(guests) + ": " + peer.name()
                            + ": its command has no " + BenchCandidate.GUESTS));
            inRounds(guests, CpuPlacement.ONE_CPU, this::comeAndAsk);
        }
        if (CpuPlacement.TWO_CPUS.isPossible()) {
            inRounds(bench.pace().mostGuests(), CpuPlacement.TWO_CPUS, this::askEvenly);
        } else {
            bench.remark("10,000 requests/s: the guests need a CPU of their own");
        }
    }

    /** One back-end's turn in a round. */
    private interface Turn {
        long take(BenchBackendProcess backend, String scenario, boolean first) throws IOException, InterruptedException;
    }

    private void inRounds(int guests, CpuPlacement placement, Turn turn) throws IOException, InterruptedException {
        List<BenchCandidate> candidates = bench.lineup().forManyGuests(guests);
        String scenario = scenario(guests, placement);
        placement.placeGuests();
        try (MeasuredBackends backends = MeasuredBackends.start(bench, candidates, guests, placement)) {
            for (int round = 0; round < bench.pace().rounds(); round++) {
                bench.progress().accept("many guests, " + scenario + ", round " + (round + 1));
                boolean first = round == 0;
                backends.each(backend -> turn.take(backend, scenario, first));
            }
        } finally {
            CpuPlacement.freeGuests();
        }
    }

    static String scenario(int guests, CpuPlacement placement) {
        return GuestCountLabel.label(guests) + ", " + placement.label();
    }

    private long comeAndAsk(BenchBackendProcess backend, String scenario, boolean first)
            throws IOException, InterruptedException {
        Subject subject = new Subject(
                BenchReportSection.MANY, scenario, backend.candidate().name());
        BenchSamples samples = bench.samples();
        long began = System.nanoTime();
        try (MultiGuestLoadGenerator crowd = MultiGuestLoadGenerator.connect(backend.sockets())) {
            double connected = System.nanoTime() - began;
            samples.add(
                    subject, BenchMetric.CONNECT, connected / backend.sockets().size() / NANOS_PER_MICRO);
            samples.add(subject, BenchMetric.STORM, crowd.storm() / NANOS_PER_MILLI);
            Histogram storm = crowd.latencies();
            samples.add(subject, BenchMetric.STORM_P99, storm.getValueAtPercentile(99) / NANOS_PER_MILLI);
            crowd.keepInFlight(IN_FLIGHT, warmUp(first));
            crowd.forget();
            BackendLoadMeasurement load = BackendLoadMeasurement.begin(backend);
            crowd.keepInFlight(IN_FLIGHT, bench.pace().measured().toNanos());
            load.end(samples, subject, crowd.latencies(), crowd.takeInterrupts());
            samples.add(subject, BenchMetric.IDLE, idle(backend));
            return Math.max(storm.getMaxValue(), crowd.latencies().getMaxValue());
        }
    }

    private long askEvenly(BenchBackendProcess backend, String scenario, boolean first) throws IOException {
        Subject subject = new Subject(
                BenchReportSection.PACED, scenario, backend.candidate().name());
        try (MultiGuestLoadGenerator crowd = MultiGuestLoadGenerator.connect(backend.sockets())) {
            crowd.askEvery(PACED_INTERVAL, warmUp(first));
            crowd.forget();
            BackendLoadMeasurement load = BackendLoadMeasurement.begin(backend);
            crowd.askEvery(PACED_INTERVAL, bench.pace().measured().toNanos());
            load.end(bench.samples(), subject, crowd.latencies(), crowd.takeInterrupts());
            return crowd.latencies().getMaxValue();
        }
    }

    private long warmUp(boolean first) {
        return (first ? bench.pace().firstWarmUp() : bench.pace().warmUp()).toNanos();
    }

    /** Microseconds of CPU in a second in which no guest asks. */
    private double idle(BenchBackendProcess backend) throws IOException, InterruptedException {
        // What it has yet to do about the load before, compile it for one, is not idling.
        TimeUnit.NANOSECONDS.sleep(bench.pace().warmUp().toNanos());
        long began = System.nanoTime();
        long before = backend.files().cpuNanos();
        TimeUnit.NANOSECONDS.sleep(bench.pace().measured().toNanos());
        double used = backend.files().cpuNanos() - before;
        return used * TimeUnit.SECONDS.toMicros(1) / (System.nanoTime() - began);
    }
}
