package org.vhostuserrng.cli.suite;

import java.io.IOException;
import org.vhostuserrng.cli.suite.Samples.Subject;

/** From exec until the first socket accepts, and what a guest meets that comes at once: until its first request is served. */
final class StartUp {
    static final String SCENARIO = "one guest, all CPUs";

    private static final int STARTS_A_ROUND = 4;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Bench bench;

    StartUp(Bench bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        bench.progress().accept("start-up");
        for (int i = 0; i < bench.pace().rounds() * STARTS_A_ROUND; i++) {
            for (Candidate candidate : bench.lineup().withUsualSource()) {
                try (Backend backend = Backend.start(candidate, 1, Placement.best())) {
                    Subject subject = new Subject(Section.START_UP, SCENARIO, candidate.name());
                    bench.samples().add(subject, Figure.LISTENING, backend.listenedAfter() / NANOS_PER_MILLI);
                    bench.samples().add(subject, Figure.FIRST_GUEST, serveFirstGuest(backend) / NANOS_PER_MILLI);
                } catch (IOException failed) {
                    bench.remark("start-up: " + failed.getMessage());
                }
            }
        }
    }

    private static double serveFirstGuest(Backend backend) throws IOException {
        long began = System.nanoTime();
        try (Crowd guest = Crowd.connect(backend.sockets())) {
            guest.storm();
            return System.nanoTime() - began;
        }
    }
}
