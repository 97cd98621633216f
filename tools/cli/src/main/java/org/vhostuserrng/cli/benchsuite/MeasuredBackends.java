package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;
import org.vhostuserrng.frontend.DeviceViolationException;

/**
 * Several back-ends that run at the same time, to be measured in turn: whoever has no guest costs the others nothing. One
 * that fails is left out from then on, and the report says so.
 */
final class MeasuredBackends implements AutoCloseable {
    /** A measurement of one back-end. */
    interface Measurement {
        /**
         * Measures it.
         *
         * @return the worst latency that a guest has seen, in nanoseconds
         */
        long measure(BenchBackendProcess backend) throws IOException, InterruptedException;
    }

    private static final double NANOS_PER_MICRO = 1e3;

    private final BenchSuiteContext bench;
    private final String scenario;
    private final List<BenchBackendProcess> running = new ArrayList<>();
    private final Map<BenchBackendProcess, Long> maxLatency = new HashMap<>();

    private MeasuredBackends(BenchSuiteContext bench, String scenario) {
        this.bench = bench;
        this.scenario = scenario;
    }

    /** Starts all of them. */
    static MeasuredBackends start(
            BenchSuiteContext bench, List<BenchCandidate> candidates, int guests, CpuPlacement placement)
            throws IOException, InterruptedException {
        String scenario = GuestCountLabel.label(guests) + ", " + placement.label();
        MeasuredBackends backends = new MeasuredBackends(bench, scenario);
        for (BenchCandidate candidate : candidates) {
            try {
                backends.running.add(BenchBackendProcess.start(candidate, guests, placement));
            } catch (IOException failed) {
                bench.note(scenario + ": " + failed.getMessage());
            }
        }
        return backends;
    }

    /** Measures each of them once. */
    void each(Measurement measurement) throws IOException, InterruptedException {
        for (BenchBackendProcess backend : List.copyOf(running)) {
            try {
                maxLatency.merge(backend, measurement.measure(backend), Math::max);
            } catch (IOException | DeviceViolationException failed) {
                bench.note(scenario + ": " + backend.candidate().name() + ": " + failed.getMessage()
                        + "; the last that it said: " + backend.lastLogLine());
                running.remove(backend);
                backend.close();
            }
        }
    }

    /** Ends all of them, and notes what each tells of its longest pause. */
    @Override
    public void close() throws IOException {
        for (BenchBackendProcess backend : running) {
            OptionalDouble longestTurn = BenchBackendProcess.longestIterationMicros(backend.terminate());
            backend.close();
            if (longestTurn.isPresent() && maxLatency.containsKey(backend)) {
                Key subject = new Key(
                        BenchReportSection.WORST_LATENCY,
                        scenario,
                        backend.candidate().name());
                bench.samples().add(subject, BenchMetric.MAX_LATENCY, maxLatency.get(backend) / NANOS_PER_MICRO);
                bench.samples().add(subject, BenchMetric.LONGEST_ITERATION, longestTurn.getAsDouble());
            }
        }
    }
}
