package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

/**
 * Measures the time from exec until the back-end accepts connections, and the time to connect the first guest and
 * complete its first request.
 */
final class StartupTimeBenchmark {
    static final String SCENARIO = "one guest, all CPUs";

    private static final int STARTS_PER_ROUND = 4;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BenchSuiteContext bench;

    StartupTimeBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Runs all measurements. */
    void run() throws IOException, InterruptedException {
        bench.progress().accept("start-up");
        for (int i = 0; i < bench.parameters().rounds() * STARTS_PER_ROUND; i++) {
            for (BenchCandidate candidate : bench.candidates().withDefaultSource()) {
                try (BenchBackendProcess backend = BenchBackendProcess.start(candidate, 1, CpuPlacement.best())) {
                    SampleKey key = new SampleKey(BenchReportSection.START_UP, SCENARIO, candidate.name());
                    bench.samples().add(key, BenchMetric.LISTENING, backend.listenNanos() / NANOS_PER_MILLI);
                    bench.samples().add(key, BenchMetric.FIRST_GUEST, serveFirstGuest(backend) / NANOS_PER_MILLI);
                } catch (IOException failed) {
                    bench.note("start-up: " + failed.getMessage());
                }
            }
        }
    }

    private static double serveFirstGuest(BenchBackendProcess backend) throws IOException {
        long start = System.nanoTime();
        try (MultiGuestLoadGenerator guest = MultiGuestLoadGenerator.connect(backend.sockets())) {
            guest.requestBurst();
            return System.nanoTime() - start;
        }
    }
}
