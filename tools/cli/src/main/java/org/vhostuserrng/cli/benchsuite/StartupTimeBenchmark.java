package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

/** From exec until the first socket accepts, and what a guest meets that comes at once: until its first request is served. */
final class StartupTimeBenchmark {
    static final String SCENARIO = "one guest, all CPUs";

    private static final int STARTS_PER_ROUND = 4;
    private static final double NANOS_PER_MILLI = 1e6;

    private final BenchSuiteContext bench;

    StartupTimeBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        bench.progress().accept("start-up");
        for (int i = 0; i < bench.parameters().rounds() * STARTS_PER_ROUND; i++) {
            for (BenchCandidate candidate : bench.candidates().withDefaultSource()) {
                try (BenchBackendProcess backend = BenchBackendProcess.start(candidate, 1, CpuPlacement.best())) {
                    Key subject = new Key(BenchReportSection.START_UP, SCENARIO, candidate.name());
                    bench.samples().add(subject, BenchMetric.LISTENING, backend.listenNanos() / NANOS_PER_MILLI);
                    bench.samples().add(subject, BenchMetric.FIRST_GUEST, serveFirstGuest(backend) / NANOS_PER_MILLI);
                } catch (IOException failed) {
                    bench.note("start-up: " + failed.getMessage());
                }
            }
        }
    }

    private static double serveFirstGuest(BenchBackendProcess backend) throws IOException {
        long began = System.nanoTime();
        try (MultiGuestLoadGenerator guest = MultiGuestLoadGenerator.connect(backend.sockets())) {
            guest.requestBurst();
            return System.nanoTime() - began;
        }
    }
}
