package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.frontend.DeviceViolationException;

/**
 * Several back-ends that run at the same time and are measured one after the other. A back-end without guests is idle
 * and does not disturb the others. A back-end that fails is removed and noted in the report.
 */
final class MeasuredBackends implements AutoCloseable {
    /** A measurement of one back-end. */
    interface Measurement {
        /**
         * Measures the back-end once.
         *
         * @return the maximum latency of a request, in nanoseconds
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

    /** Starts the back-ends of all candidates. */
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

    /** Measures each back-end once. */
    void each(Measurement measurement) throws IOException, InterruptedException {
        for (BenchBackendProcess backend : List.copyOf(running)) {
            try {
                maxLatency.merge(backend, measurement.measure(backend), Math::max);
            } catch (IOException | DeviceViolationException failed) {
                bench.note(scenario + ": " + backend.candidate().name() + ": " + failed.getMessage()
                        + "; last line of its log: " + backend.lastLogLine());
                running.remove(backend);
                backend.close();
            }
        }
    }

    /** Terminates all back-ends and records the longest event-loop iteration of each back-end that logs it. */
    @Override
    public void close() throws IOException {
        for (BenchBackendProcess backend : running) {
            OptionalDouble longestIteration = BenchBackendProcess.longestIterationMicros(backend.terminate());
            backend.close();
            if (longestIteration.isPresent() && maxLatency.containsKey(backend)) {
                SampleKey key = new SampleKey(
                        BenchReportSection.WORST_LATENCY,
                        scenario,
                        backend.candidate().name());
                bench.samples().add(key, BenchMetric.MAX_LATENCY, maxLatency.get(backend) / NANOS_PER_MICRO);
                bench.samples().add(key, BenchMetric.LONGEST_ITERATION, longestIteration.getAsDouble());
            }
        }
    }
}
