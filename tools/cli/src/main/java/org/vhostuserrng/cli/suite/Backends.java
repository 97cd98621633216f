package org.vhostuserrng.cli.suite;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.suite.Samples.Subject;
import org.vhostuserrng.frontend.BrokenDeviceException;

/**
 * Several back-ends that run at the same time, to be measured in turn: whoever has no guest costs the others nothing. One
 * that fails is left out from then on, and the report says so.
 */
final class Backends implements AutoCloseable {
    /** A measurement of one back-end. */
    interface Measurement {
        /**
         * Measures it.
         *
         * @return the worst latency that a guest has seen, in nanoseconds
         */
        long take(Backend backend) throws IOException, InterruptedException;
    }

    private static final double NANOS_PER_MICRO = 1e3;

    private final Bench bench;
    private final String scenario;
    private final List<Backend> running = new ArrayList<>();
    private final Map<Backend, Long> worst = new HashMap<>();

    private Backends(Bench bench, String scenario) {
        this.bench = bench;
        this.scenario = scenario;
    }

    /** Starts all of them. */
    static Backends start(Bench bench, List<Candidate> candidates, int guests, Placement placement)
            throws IOException, InterruptedException {
        String scenario = Guests.label(guests) + ", " + placement.label();
        Backends backends = new Backends(bench, scenario);
        for (Candidate candidate : candidates) {
            try {
                backends.running.add(Backend.start(candidate, guests, placement));
            } catch (IOException failed) {
                bench.remark(scenario + ": " + failed.getMessage());
            }
        }
        return backends;
    }

    /** Measures each of them once. */
    void each(Measurement measurement) throws IOException, InterruptedException {
        for (Backend backend : List.copyOf(running)) {
            try {
                worst.merge(backend, measurement.take(backend), Math::max);
            } catch (IOException | BrokenDeviceException failed) {
                bench.remark(scenario + ": " + backend.candidate().name() + ": " + failed.getMessage()
                        + "; the last that it said: " + backend.lastWords());
                running.remove(backend);
                backend.close();
            }
        }
    }

    /** Ends all of them, and notes what each tells of its longest pause. */
    @Override
    public void close() throws IOException {
        for (Backend backend : running) {
            OptionalDouble longestTurn = Backend.longestTurn(backend.end());
            backend.close();
            if (longestTurn.isPresent() && worst.containsKey(backend)) {
                Subject subject = new Subject(
                        Section.PAUSES, scenario, backend.candidate().name());
                bench.samples().add(subject, Figure.WORST, worst.get(backend) / NANOS_PER_MICRO);
                bench.samples().add(subject, Figure.LONGEST_TURN, longestTurn.getAsDouble());
            }
        }
    }
}
