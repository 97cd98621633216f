package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;
import org.vhostuserrng.cli.bench.BenchRequestLoop;
import org.vhostuserrng.cli.bench.BenchResult;
import org.vhostuserrng.cli.bench.BenchWorkload;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.frontend.EntropyDriver;

/** Measures a back-end with one guest that keeps a constant number of requests in flight. */
final class SingleGuestBenchmark {
    private static final double MB = 1e6;

    /** The loads to measure. */
    enum GuestWorkload {
        DEPTH_1("64 B, depth 1", 64, 1, false),
        DEPTH_1_BUSY_POLL("64 B, depth 1, busy-polling guest", 64, 1, true),
        DEPTH_64("64 B, depth 64", 64, 64, false),
        PAGE_4K("4 KiB, depth 16", 4096, 16, false),
        BUFFER_64K("64 KiB, depth 8", 1 << 16, 8, false);

        private final String label;
        private final int buffer;
        private final int depth;
        private final boolean busyPoll;

        GuestWorkload(String label, int buffer, int depth, boolean busyPoll) {
            this.label = label;
            this.buffer = buffer;
            this.depth = depth;
            this.busyPoll = busyPoll;
        }

        BenchWorkload workload(boolean packed) {
            return new BenchWorkload(buffer, depth, busyPoll, packed);
        }

        /**
         * Returns false for a busy-polling guest on the CPU of the back-end: the back-end would have to wait until the
         * end of the guest's time slice.
         */
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

    /** Runs all measurements. */
    void run() throws IOException, InterruptedException {
        for (CpuPlacement placement : CpuPlacement.values()) {
            if (placement.isPossible()) {
                run(placement);
            } else {
                bench.note("one guest: " + placement.label() + ": fewer CPUs available");
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
            SampleKey key = new SampleKey(BenchReportSection.SINGLE, scenario, candidate.name());
            return measure(backend, each.workload(candidate.packed()), key, warmUp);
        });
    }

    private long measure(BenchBackendProcess backend, BenchWorkload workload, SampleKey key, long warmUp)
            throws IOException {
        long nanos = bench.parameters().measureTime().toNanos();
        try (EntropyDriver driver = workload.start(backend.sockets().getFirst(), BenchRequestLoop.HANG_TIMEOUT);
                BenchRequestLoop loop = new BenchRequestLoop(driver, workload, BenchRequestLoop.HANG_TIMEOUT)) {
            loop.run(warmUp);
            loop.resetMeasurements();
            BackendLoadMeasurement load = BackendLoadMeasurement.start(backend);
            long start = System.nanoTime();
            loop.run(nanos);
            loop.awaitCompletion();
            BenchResult result = loop.result(System.nanoTime() - start);
            load.stop(bench.samples(), key, result.latencies(), result.interrupts());
            bench.samples().add(key, BenchMetric.BANDWIDTH, result.bytesPerSecond() / MB);
            driver.session().stop();
            return result.latencies().getMaxValue();
        }
    }
}
