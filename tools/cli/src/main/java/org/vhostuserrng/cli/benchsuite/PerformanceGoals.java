package org.vhostuserrng.cli.benchsuite;

import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atLeast;
import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atMost;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.GuestWorkload;

/** The project's goals beside what was measured in this run: ratios wherever there is something to compare with. */
final class PerformanceGoals {
    private static final String DAEMON = BenchCandidate.daemonName(BenchCandidateList.DEFAULT_SOURCE);
    private static final String DAEMON_DRBG = BenchCandidate.daemonName(BenchCandidateList.DRBG_SOURCE);
    private static final int HUNDRED = 100;
    private static final int THOUSAND = 1000;

    private final BenchSamples samples;

    PerformanceGoals(BenchSamples samples) {
        this.samples = samples;
    }

    List<PerformanceGoal> all() {
        List<PerformanceGoal> goals = new ArrayList<>();
        latency(goals);
        throughput(goals);
        qemuGuest(goals);
        guests(goals);
        process(goals);
        return goals;
    }

    private void latency(List<PerformanceGoal> goals) {
        Key oneCpu = single(GuestWorkload.DEPTH_1, CpuPlacement.ONE_CPU, DAEMON);
        samples.keys(BenchReportSection.SINGLE).stream()
                .map(Key::candidate)
                .filter(name -> name.startsWith(BenchCandidate.PEER_PREFIX))
                .distinct()
                .forEach(peer -> goals.add(atMost(
                        0.9, "64 B, depth 1, one CPU: p50 ÷ " + peer, samples.ratio(oneCpu, BenchMetric.P50, peer))));
        goals.add(atMost(
                1,
                "64 B, depth 1, one CPU: p50 ÷ " + BenchCandidate.REFERENCE,
                samples.ratio(oneCpu, BenchMetric.P50, BenchCandidate.REFERENCE)));
        goals.add(atMost(
                1.5,
                "64 B, depth 1, two CPUs, spinning guest: p50 ÷ " + BenchCandidate.REFERENCE_BUSY_POLL,
                samples.ratio(
                        single(GuestWorkload.DEPTH_1_BUSY_POLL, CpuPlacement.TWO_CPUS, DAEMON),
                        BenchMetric.P50,
                        BenchCandidate.REFERENCE_BUSY_POLL)));
    }

    private void throughput(List<PerformanceGoal> goals) {
        for (CpuPlacement placement : CpuPlacement.values()) {
            String load = "64 B, depth 64, " + placement.label() + ": ";
            Key ours = single(GuestWorkload.DEPTH_64, placement, DAEMON);
            Key generator = single(GuestWorkload.DEPTH_64, placement, DAEMON_DRBG);
            goals.add(atLeast(1.5, load + "drbg, requests/s ÷ C", ratioToReference(generator, BenchMetric.RATE)));
            goals.add(atLeast(0.75, load + "getrandom, requests/s ÷ C", ratioToReference(ours, BenchMetric.RATE)));
            goals.add(atMost(1, load + "interrupts/request ÷ C", ratioToReference(ours, BenchMetric.INTERRUPTS)));
        }
        bandwidth(goals, GuestWorkload.PAGE_4K, "4 KiB, depth 16", 1000);
        bandwidth(goals, GuestWorkload.BUFFER_64K, "64 KiB, depth 8", 1500);
    }

    private void bandwidth(List<PerformanceGoal> goals, GuestWorkload load, String label, double generated) {
        // "Equal" within what such a run can tell apart.
        goals.add(atLeast(
                0.95,
                label + ", one CPU: getrandom, MB/s ÷ C",
                ratioToReference(single(load, CpuPlacement.ONE_CPU, DAEMON), BenchMetric.BANDWIDTH)));
        goals.add(atLeast(
                generated,
                label + ", one CPU: drbg, MB/s",
                samples.median(single(load, CpuPlacement.ONE_CPU, DAEMON_DRBG), BenchMetric.BANDWIDTH)));
    }

    private void qemuGuest(List<PerformanceGoal> goals) {
        OptionalDouble ratio = samples.keys(BenchReportSection.QEMU_GUEST).stream()
                .filter(subject -> subject.candidate().equals(DAEMON))
                .map(subject -> samples.ratio(subject, BenchMetric.HWRNG_RATE, GuestHwrngBenchmark.BUILTIN))
                .findFirst()
                .orElse(OptionalDouble.empty());
        goals.add(atLeast(1, "/dev/hwrng under QEMU: kB/s ÷ rng-builtin", ratio));
    }

    private void guests(List<PerformanceGoal> goals) {
        Key hundred =
                new Key(BenchReportSection.MANY, ManyGuestsBenchmark.scenario(HUNDRED, CpuPlacement.ONE_CPU), DAEMON);
        goals.add(atLeast(
                0.8, "100 guests, 16 in flight, one CPU: requests/s ÷ C", ratioToReference(hundred, BenchMetric.RATE)));
        Key thousand = new Key(
                BenchReportSection.PACED, ManyGuestsBenchmark.scenario(THOUSAND, CpuPlacement.TWO_CPUS), DAEMON);
        goals.add(atMost(1000, "1,000 guests, 10,000 requests/s: p99 µs", samples.median(thousand, BenchMetric.P99)));
        Key further = new Key(BenchReportSection.PER_EXTRA_GUEST, GuestCountLabel.label(THOUSAND), DAEMON);
        goals.add(atMost(15, "a further guest: private kB", samples.median(further, BenchMetric.EXTRA_PRIVATE)));
        goals.add(atMost(4, "a further guest: fds", samples.median(further, BenchMetric.EXTRA_FDS)));
        goals.add(atMost(0, "a further guest: threads", samples.median(further, BenchMetric.EXTRA_THREADS)));
    }

    private void process(List<PerformanceGoal> goals) {
        goals.add(atMost(
                120,
                "listening after ms",
                samples.median(
                        new Key(BenchReportSection.START_UP, StartupTimeBenchmark.SCENARIO, DAEMON),
                        BenchMetric.LISTENING)));
        Key one = new Key(BenchReportSection.MEMORY, GuestCountLabel.label(1), DAEMON);
        Key thousand = new Key(BenchReportSection.MEMORY, GuestCountLabel.label(THOUSAND), DAEMON);
        goals.add(atMost(40, "1 guest: RSS MB", samples.median(one, BenchMetric.RSS)));
        goals.add(atMost(15, "1 guest: private MB", samples.median(one, BenchMetric.PRIVATE)));
        goals.add(atMost(60, "1,000 guests: RSS MB", samples.median(thousand, BenchMetric.RSS)));
    }

    private OptionalDouble ratioToReference(Key subject, BenchMetric figure) {
        return samples.ratio(subject, figure, BenchCandidate.REFERENCE);
    }

    private static Key single(GuestWorkload load, CpuPlacement placement, String candidate) {
        return new Key(BenchReportSection.SINGLE, load.scenario(placement), candidate);
    }
}
