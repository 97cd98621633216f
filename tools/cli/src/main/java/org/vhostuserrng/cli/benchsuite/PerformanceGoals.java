package org.vhostuserrng.cli.benchsuite;

import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atLeast;
import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atMost;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.GuestWorkload;

/**
 * The performance goals, and the values measured in this run. Where possible, a goal is a ratio to another back-end.
 */
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
        SampleKey oneCpu = single(GuestWorkload.DEPTH_1, CpuPlacement.ONE_CPU, DAEMON);
        samples.keys(BenchReportSection.SINGLE).stream()
                .map(SampleKey::candidate)
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
                "64 B, depth 1, two CPUs, busy-polling guest: p50 ÷ " + BenchCandidate.REFERENCE_BUSY_POLL,
                samples.ratio(
                        single(GuestWorkload.DEPTH_1_BUSY_POLL, CpuPlacement.TWO_CPUS, DAEMON),
                        BenchMetric.P50,
                        BenchCandidate.REFERENCE_BUSY_POLL)));
    }

    private void throughput(List<PerformanceGoal> goals) {
        for (CpuPlacement placement : CpuPlacement.values()) {
            String load = "64 B, depth 64, " + placement.label() + ": ";
            SampleKey daemon = single(GuestWorkload.DEPTH_64, placement, DAEMON);
            SampleKey drbg = single(GuestWorkload.DEPTH_64, placement, DAEMON_DRBG);
            goals.add(atLeast(1.5, load + "drbg, requests/s ÷ C", ratioToReference(drbg, BenchMetric.RATE)));
            goals.add(atLeast(0.75, load + "getrandom, requests/s ÷ C", ratioToReference(daemon, BenchMetric.RATE)));
            goals.add(atMost(1, load + "interrupts/request ÷ C", ratioToReference(daemon, BenchMetric.INTERRUPTS)));
        }
        bandwidth(goals, GuestWorkload.PAGE_4K, "4 KiB, depth 16", 1000);
        bandwidth(goals, GuestWorkload.BUFFER_64K, "64 KiB, depth 8", 1500);
    }

    private void bandwidth(List<PerformanceGoal> goals, GuestWorkload load, String label, double generated) {
        // The goal is 1; runs differ by 5 %.
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
                .filter(key -> key.candidate().equals(DAEMON))
                .map(key -> samples.ratio(key, BenchMetric.HWRNG_RATE, GuestHwrngBenchmark.BUILTIN))
                .findFirst()
                .orElse(OptionalDouble.empty());
        goals.add(atLeast(1, "/dev/hwrng under QEMU: kB/s ÷ rng-builtin", ratio));
    }

    private void guests(List<PerformanceGoal> goals) {
        SampleKey hundred = new SampleKey(
                BenchReportSection.MANY, ManyGuestsBenchmark.scenario(HUNDRED, CpuPlacement.ONE_CPU), DAEMON);
        goals.add(atLeast(
                0.8,
                "100 guests, 16 in-flight requests, one CPU: requests/s ÷ C",
                ratioToReference(hundred, BenchMetric.RATE)));
        SampleKey thousand = new SampleKey(
                BenchReportSection.PACED, ManyGuestsBenchmark.scenario(THOUSAND, CpuPlacement.TWO_CPUS), DAEMON);
        goals.add(atMost(1000, "1,000 guests, 10,000 requests/s: p99 µs", samples.median(thousand, BenchMetric.P99)));
        SampleKey extraGuest =
                new SampleKey(BenchReportSection.PER_EXTRA_GUEST, GuestCountLabel.label(THOUSAND), DAEMON);
        goals.add(
                atMost(15, "extra guest: private anonymous kB", samples.median(extraGuest, BenchMetric.EXTRA_PRIVATE)));
        goals.add(atMost(4, "extra guest: fds", samples.median(extraGuest, BenchMetric.EXTRA_FDS)));
        goals.add(atMost(0, "extra guest: threads", samples.median(extraGuest, BenchMetric.EXTRA_THREADS)));
    }

    private void process(List<PerformanceGoal> goals) {
        goals.add(atMost(
                120,
                "listening after ms",
                samples.median(
                        new SampleKey(BenchReportSection.START_UP, StartupTimeBenchmark.SCENARIO, DAEMON),
                        BenchMetric.LISTENING)));
        SampleKey one = new SampleKey(BenchReportSection.MEMORY, GuestCountLabel.label(1), DAEMON);
        SampleKey thousand = new SampleKey(BenchReportSection.MEMORY, GuestCountLabel.label(THOUSAND), DAEMON);
        goals.add(atMost(45, "1 guest: RSS MB", samples.median(one, BenchMetric.RSS)));
        goals.add(atMost(18, "1 guest: private anonymous MB", samples.median(one, BenchMetric.PRIVATE)));
        goals.add(atMost(70, "1,000 guests: RSS MB", samples.median(thousand, BenchMetric.RSS)));
        goals.add(atMost(30, "1,000 guests: private anonymous MB", samples.median(thousand, BenchMetric.PRIVATE)));
    }

    private OptionalDouble ratioToReference(SampleKey key, BenchMetric metric) {
        return samples.ratio(key, metric, BenchCandidate.REFERENCE);
    }

    private static SampleKey single(GuestWorkload load, CpuPlacement placement, String candidate) {
        return new SampleKey(BenchReportSection.SINGLE, load.scenario(placement), candidate);
    }
}
