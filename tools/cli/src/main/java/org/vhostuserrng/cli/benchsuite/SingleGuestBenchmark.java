package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import org.vhostuserrng.cli.bench.BenchRequestLoop;
import org.vhostuserrng.cli.bench.BenchResult;
import org.vhostuserrng.cli.bench.BenchWorkload;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Subject;
import org.vhostuserrng.frontend.EntropyDriver;

/** One guest that always has as many requests in flight. */
final class SingleGuestBenchmark {
    private static final double MB = 1e6;

    /** The ways in which it asks. */
    enum Case {
        ONE_AT_A_TIME("64 B, depth 1", 64, 1, false),
        ONE_AT_A_TIME_SPINNING("64 B, depth 1, spinning guest", 64, 1, true),
        MANY_SMALL("64 B, depth 64", 64, 64, false),
        PAGES("4 KiB, depth 16", 4096, 16, false),
        LARGE("64 KiB, depth 8", 1 << 16, 8, false);

        private final String label;
        private final int buffer;
        private final int depth;
        private final boolean spin;

        Case(String label, int buffer, int depth, boolean spin) {
            this.label = label;
            this.buffer = buffer;
            this.depth = depth;
            this.spin = spin;
        }

        BenchWorkload shape(boolean packed) {
            return new BenchWorkload(buffer, depth, spin, packed);
        }

        /** Who spins on the back-end's CPU waits for the end of its own time slice. */
        boolean isPossible(CpuPlacement placement) {
            return !spin || placement == CpuPlacement.TWO_CPUS;
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
                bench.remark("one guest: " + placement.label() + ": there are not as many");
            }
        }
    }

    private void run(CpuPlacement placement) throws IOException, InterruptedException {
        List<BenchCandidate> candidates = bench.lineup().forOneGuest(placement);
        placement.placeGuests();
        try (MeasuredBackends backends = MeasuredBackends.start(bench, candidates, 1, placement)) {
            for (int round = 0; round < bench.pace().rounds(); round++) {
                for (Case each : Case.values()) {
                    if (each.isPossible(placement)) {
                        measure(backends, each, placement, round);
                    }
                }
            }
        } finally {
            CpuPlacement.freeGuests();
        }
    }

    private void measure(MeasuredBackends backends, Case each, CpuPlacement placement, int round)
            throws IOException, InterruptedException {
        String scenario = each.scenario(placement);
        bench.progress().accept("one guest, " + scenario + ", round " + (round + 1));
        long warmUp = (round == 0 ? bench.pace().firstWarmUp() : bench.pace().warmUp()).toNanos();
        backends.each(backend -> {
            BenchCandidate candidate = backend.candidate();
            Subject subject = new Subject(BenchReportSection.SINGLE, scenario, candidate.name());
            return measure(backend, each.shape(candidate.packed()), subject, warmUp);
        });
    }

    private long measure(BenchBackendProcess backend, BenchWorkload shape, Subject subject, long warmUp)
            throws IOException {
        long nanos = bench.pace().measured().toNanos();
        try (EntropyDriver driver = shape.start(backend.sockets().getFirst());
                BenchRequestLoop loop = new BenchRequestLoop(driver, shape)) {
            loop.run(warmUp);
            loop.forgetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.begin(backend);
            loop.run(nanos);
            BenchResult result = loop.result(nanos);
            load.end(bench.samples(), subject, result.latencies(), result.interrupts());
            bench.samples().add(subject, BenchMetric.BANDWIDTH, result.bytesPerSecond() / MB);
            driver.session().stop();
            return result.latencies().getMaxValue();
        }
    }
}
