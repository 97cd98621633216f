package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.frontend.DeviceViolationException;

/**
 * Measures memory, file descriptors and threads of a back-end after load, and their increase per extra guest: (usage
 * with all guests − usage with one guest) / (guests − 1). In both cases the back-end listens on all sockets.
 */
final class MemoryUsageBenchmark {
    private static final double KB = 1e3;
    private static final double MB = 1e6;

    private final BenchSuiteContext bench;

    MemoryUsageBenchmark(BenchSuiteContext bench) {
        this.bench = bench;
    }

    /** Runs all measurements. */
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
                        new SampleKey(
                                BenchReportSection.PER_EXTRA_GUEST, GuestCountLabel.label(guests), candidate.name()),
                        one,
                        all,
                        guests - 1.0);
            }
        }
    }

    private ProcessResourceUsage usageAfterLoad(BenchBackendProcess backend, MultiGuestLoadGenerator generator)
            throws IOException, InterruptedException {
        generator.requestBurst();
        generator.keepInFlight(
                ManyGuestsBenchmark.IN_FLIGHT, bench.parameters().measureTime().toNanos());
        TimeUnit.NANOSECONDS.sleep(bench.parameters().settleTime().toNanos());
        return backend.procFiles().resourceUsage();
    }

    private void recordUsage(BenchCandidate candidate, int guests, ProcessResourceUsage usage) {
        SampleKey whole = new SampleKey(BenchReportSection.MEMORY, GuestCountLabel.label(guests), candidate.name());
        BenchSamples samples = bench.samples();
        samples.add(whole, BenchMetric.RSS, usage.rss() / MB);
        samples.add(whole, BenchMetric.PSS, usage.pss() / MB);
        samples.add(whole, BenchMetric.PRIVATE, usage.privateBytes() / MB);
        samples.add(whole, BenchMetric.FDS, usage.fds());
        samples.add(whole, BenchMetric.THREADS, usage.threads());
    }

    private void recordPerExtraGuest(
            SampleKey key, ProcessResourceUsage one, ProcessResourceUsage all, double extraGuests) {
        BenchSamples samples = bench.samples();
        samples.add(key, BenchMetric.EXTRA_PRIVATE, (all.privateBytes() - one.privateBytes()) / KB / extraGuests);
        samples.add(key, BenchMetric.EXTRA_PSS, (all.pss() - one.pss()) / KB / extraGuests);
        samples.add(key, BenchMetric.EXTRA_RSS, (all.rss() - one.rss()) / KB / extraGuests);
        samples.add(key, BenchMetric.EXTRA_FDS, (all.fds() - one.fds()) / extraGuests);
        samples.add(key, BenchMetric.EXTRA_THREADS, (all.threads() - one.threads()) / extraGuests);
    }
}
