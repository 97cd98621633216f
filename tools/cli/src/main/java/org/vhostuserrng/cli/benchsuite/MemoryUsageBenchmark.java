package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;
import org.vhostuserrng.frontend.DeviceViolationException;

/**
 * What a process holds that serves so many guests and has served them for a while; and how much more than that is than
 * when it served one of them, its sockets listening for all.
 */
final class MemoryUsageBenchmark {
    private static final double KB = 1e3;
    private static final double MB = 1e6;

    private final BenchSuiteContext bench;

    MemoryUsageBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        for (int guests : bench.parameters().guests()) {
            bench.progress().accept("memory, " + GuestCountLabel.label(guests));
            for (BenchCandidate candidate : bench.candidates().forManyGuests(guests)) {
                try {
                    measure(candidate, guests);
                } catch (IOException | DeviceViolationException failed) {
                    bench.note("memory, " + GuestCountLabel.label(guests) + ": " + failed.getMessage());
                }
            }
        }
    }

    private void measure(BenchCandidate candidate, int guests) throws IOException, InterruptedException {
        try (BenchBackendProcess backend = BenchBackendProcess.start(candidate, guests, CpuPlacement.best())) {
            measure(backend, guests);
        }
    }

    private void measure(BenchBackendProcess backend, int guests) throws IOException, InterruptedException {
        BenchCandidate candidate = backend.candidate();
        try (MultiGuestLoadGenerator first =
                MultiGuestLoadGenerator.connect(backend.sockets().subList(0, 1))) {
            ProcessResourceUsage one = usageAfterLoad(backend, first);
            if (guests == 1) {
                recordUsage(candidate, guests, one);
                return;
            }
            try (MultiGuestLoadGenerator others =
                    MultiGuestLoadGenerator.connect(backend.sockets().subList(1, guests))) {
                ProcessResourceUsage all = usageAfterLoad(backend, others);
                recordUsage(candidate, guests, all);
                recordPerExtraGuest(
                        new Key(BenchReportSection.PER_EXTRA_GUEST, GuestCountLabel.label(guests), candidate.name()),
                        one,
                        all,
                        guests - 1.0);
            }
        }
    }

    private ProcessResourceUsage usageAfterLoad(BenchBackendProcess backend, MultiGuestLoadGenerator crowd)
            throws IOException, InterruptedException {
        crowd.requestBurst();
        crowd.keepInFlight(
                ManyGuestsBenchmark.IN_FLIGHT, bench.parameters().measureTime().toNanos());
        TimeUnit.NANOSECONDS.sleep(bench.parameters().settleTime().toNanos());
        return backend.procFiles().resourceUsage();
    }

    private void recordUsage(BenchCandidate candidate, int guests, ProcessResourceUsage footprint) {
        Key whole = new Key(BenchReportSection.MEMORY, GuestCountLabel.label(guests), candidate.name());
        BenchSamples samples = bench.samples();
        samples.add(whole, BenchMetric.RSS, footprint.rss() / MB);
        samples.add(whole, BenchMetric.PSS, footprint.pss() / MB);
        samples.add(whole, BenchMetric.PRIVATE, footprint.privateBytes() / MB);
        samples.add(whole, BenchMetric.FDS, footprint.fds());
        samples.add(whole, BenchMetric.THREADS, footprint.threads());
    }

    private void recordPerExtraGuest(Key subject, ProcessResourceUsage one, ProcessResourceUsage all, double further) {
        BenchSamples samples = bench.samples();
        samples.add(subject, BenchMetric.EXTRA_PRIVATE, (all.privateBytes() - one.privateBytes()) / KB / further);
        samples.add(subject, BenchMetric.EXTRA_PSS, (all.pss() - one.pss()) / KB / further);
        samples.add(subject, BenchMetric.EXTRA_RSS, (all.rss() - one.rss()) / KB / further);
        samples.add(subject, BenchMetric.EXTRA_FDS, (all.fds() - one.fds()) / further);
        samples.add(subject, BenchMetric.EXTRA_THREADS, (all.threads() - one.threads()) / further);
    }
}
