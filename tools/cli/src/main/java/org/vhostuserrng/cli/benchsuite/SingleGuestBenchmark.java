package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import org.vhostuserrng.cli.bench.BenchRequestLoop;
import org.vhostuserrng.cli.bench.BenchResult;
import org.vhostuserrng.cli.bench.BenchWorkload;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;
import org.vhostuserrng.frontend.EntropyDriver;

/** One guest that always has as many requests in flight. */
final class SingleGuestBenchmark {
    private static final double MB = 1e6;

    /** The ways in which it asks. */
    enum GuestWorkload {
        DEPTH_1("64 B, depth 1", 64, 1, false),
        DEPTH_1_BUSY_POLL("64 B, depth 1, spinning guest", 64, 1, true),
        DEPTH_64("64 B, depth 64", 64, 64, false),
        PAGE_4K("4 KiB, depth 16", 4096, 16, false),
        BUFFER_64K("64 KiB, depth 8", 1 << 16, 8, false);

        private final String label;
        private final int buffer;
        private final int depth;
        private final boolean busyPoll;

        GuestWorkload(String label, int buffer, int depth, boolean spin) {
            this.label = label;
            this.buffer = buffer;
            this.depth = depth;
            this.busyPoll = spin;
        }

        BenchWorkload workload(boolean packed) {
            return new BenchWorkload(buffer, depth, busyPoll, packed);
        }

        /** Who spins on the back-end's CPU waits for the end of its own time slice. */
        boolean isPossible(CpuPlacement placement) {
            return !busyPoll || placement == CpuPlacement.TWO_CPUS;
        }

        String scenario(CpuPlacement placement) {
            return label + ", " + placement.label();
        }
    }

    private final BenchSuiteContext bench;

    SingleGuestBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        for (CpuPlacement placement : CpuPlacement.values()) {
            if (placement.isPossible()) {
                run(placement);
            } else {
                bench.note("one guest: " + placement.label() + ": there are not as many");
            }
        }
    }

    private void run(CpuPlacement placement) throws IOException, InterruptedException {
        List<BenchCandidate> candidates = bench.candidates().forOneGuest(placement);
        placement.pinGuests();
        try (MeasuredBackends backends = MeasuredBackends.start(bench, candidates, 1, placement)) {
            for (int round = 0; round < bench.parameters().rounds(); round++) {
                for (GuestWorkload each : GuestWorkload.values()) {
                    if (each.isPossible(placement)) {
                        measure(backends, each, placement, round);
                    }
                }
            }
        } finally {
            CpuPlacement.unpinGuests();
        }
    }

    private void measure(MeasuredBackends backends, GuestWorkload each, CpuPlacement placement, int round)
            throws IOException, InterruptedException {
        String scenario = each.scenario(placement);
        bench.progress().accept("one guest, " + scenario + ", round " + (round + 1));
        long warmUp = (round == 0
                        ? bench.parameters().firstWarmUp()
                        : bench.parameters().warmUp())
                .toNanos();
        backends.each(backend -> {
            BenchCandidate candidate = backend.candidate();
            Key subject = new Key(BenchReportSection.SINGLE, scenario, candidate.name());
            return measure(backend, each.workload(candidate.packed()), subject, warmUp);
        });
    }

    private long measure(BenchBackendProcess backend, BenchWorkload shape, Key subject, long warmUp)
            throws IOException {
        long nanos = bench.parameters().measureTime().toNanos();
        try (EntropyDriver driver = shape.start(backend.sockets().getFirst());
                BenchRequestLoop loop = new BenchRequestLoop(driver, shape)) {
            loop.run(warmUp);
            loop.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            loop.run(nanos);
            BenchResult result = loop.result(nanos);
            load.stop(bench.samples(), subject, result.latencies(), result.interrupts());
            bench.samples().add(subject, BenchMetric.BANDWIDTH, result.bytesPerSecond() / MB);
            driver.session().stop();
            return result.latencies().getMaxValue();
        }
    }
}
