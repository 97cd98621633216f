package org.vhostuserrng.cli.benchsuite;

import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atLeast;
import static org.vhostuserrng.cli.benchsuite.PerformanceGoal.atMost;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Subject;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.Case;

/** The project's goals beside what was measured in this run: ratios wherever there is something to compare with. */
final class PerformanceGoals {
    private static final String OURS = BenchCandidate.ourName(BenchCandidateList.SOURCE);
    private static final String OURS_GENERATOR = BenchCandidate.ourName(BenchCandidateList.GENERATOR);
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
        machine(goals);
        guests(goals);
        process(goals);
        return goals;
    }

    private void latency(List<PerformanceGoal> goals) {
        Subject oneCpu = single(Case.ONE_AT_A_TIME, CpuPlacement.ONE_CPU, OURS);
        samples.subjects(BenchReportSection.SINGLE).stream()
                .map(Subject::candidate)
                .filter(name -> name.startsWith(BenchCandidate.PEER))
                .distinct()
                .forEach(peer -> goals.add(atMost(
                        0.9, "64 B, depth 1, one CPU: p50 ÷ " + peer, samples.ratio(oneCpu, BenchMetric.P50, peer))));
        goals.add(atMost(
                1,
                "64 B, depth 1, one CPU: p50 ÷ " + BenchCandidate.REFERENCE,
                samples.ratio(oneCpu, BenchMetric.P50, BenchCandidate.REFERENCE)));
        goals.add(atMost(
                1.5,
                "64 B, depth 1, two CPUs, spinning guest: p50 ÷ " + BenchCandidate.REFERENCE_SPIN,
                samples.ratio(
                        single(Case.ONE_AT_A_TIME_SPINNING, CpuPlacement.TWO_CPUS, OURS),
                        BenchMetric.P50,
                        BenchCandidate.REFERENCE_SPIN)));
    }

    private void throughput(List<PerformanceGoal> goals) {
        for (CpuPlacement placement : CpuPlacement.values()) {
            String load = "64 B, depth 64, " + placement.label() + ": ";
            Subject ours = single(Case.MANY_SMALL, placement, OURS);
            Subject generator = single(Case.MANY_SMALL, placement, OURS_GENERATOR);
            goals.add(atLeast(1.5, load + "drbg, requests/s ÷ C", ofReference(generator, BenchMetric.RATE)));
            goals.add(atLeast(0.75, load + "getrandom, requests/s ÷ C", ofReference(ours, BenchMetric.RATE)));
            goals.add(atMost(1, load + "interrupts/request ÷ C", ofReference(ours, BenchMetric.INTERRUPTS)));
        }
        bandwidth(goals, Case.PAGES, "4 KiB, depth 16", 1000);
        bandwidth(goals, Case.LARGE, "64 KiB, depth 8", 1500);
    }

    private void bandwidth(List<PerformanceGoal> goals, Case load, String label, double generated) {
        // "Equal" within what such a run can tell apart.
        goals.add(atLeast(
                0.95,
                label + ", one CPU: getrandom, MB/s ÷ C",
                ofReference(single(load, CpuPlacement.ONE_CPU, OURS), BenchMetric.BANDWIDTH)));
        goals.add(atLeast(
                generated,
                label + ", one CPU: drbg, MB/s",
                samples.median(single(load, CpuPlacement.ONE_CPU, OURS_GENERATOR), BenchMetric.BANDWIDTH)));
    }

    private void machine(List<PerformanceGoal> goals) {
        OptionalDouble ratio = samples.subjects(BenchReportSection.MACHINE).stream()
                .filter(subject -> subject.candidate().equals(OURS))
                .map(subject -> samples.ratio(subject, BenchMetric.HWRNG, GuestHwrngBenchmark.BUILTIN))
                .findFirst()
                .orElse(OptionalDouble.empty());
        goals.add(atLeast(1, "/dev/hwrng under QEMU: kB/s ÷ rng-builtin", ratio));
    }

    private void guests(List<PerformanceGoal> goals) {
        Subject hundred =
                new Subject(BenchReportSection.MANY, ManyGuestsBenchmark.scenario(HUNDRED, CpuPlacement.ONE_CPU), OURS);
        goals.add(atLeast(
                0.8, "100 guests, 16 in flight, one CPU: requests/s ÷ C", ofReference(hundred, BenchMetric.RATE)));
        Subject thousand = new Subject(
                BenchReportSection.PACED, ManyGuestsBenchmark.scenario(THOUSAND, CpuPlacement.TWO_CPUS), OURS);
        goals.add(atMost(1000, "1,000 guests, 10,000 requests/s: p99 µs", samples.median(thousand, BenchMetric.P99)));
        Subject further = new Subject(BenchReportSection.FURTHER, GuestCountLabel.label(THOUSAND), OURS);
        goals.add(atMost(15, "a further guest: private kB", samples.median(further, BenchMetric.FURTHER_PRIVATE)));
        goals.add(atMost(4, "a further guest: fds", samples.median(further, BenchMetric.FURTHER_DESCRIPTORS)));
        goals.add(atMost(0, "a further guest: threads", samples.median(further, BenchMetric.FURTHER_THREADS)));
    }

    private void process(List<PerformanceGoal> goals) {
        goals.add(atMost(
                120,
                "listening after ms",
                samples.median(
                        new Subject(BenchReportSection.START_UP, StartupTimeBenchmark.SCENARIO, OURS),
                        BenchMetric.LISTENING)));
        Subject one = new Subject(BenchReportSection.MEMORY, GuestCountLabel.label(1), OURS);
        Subject thousand = new Subject(BenchReportSection.MEMORY, GuestCountLabel.label(THOUSAND), OURS);
        goals.add(atMost(40, "1 guest: RSS MB", samples.median(one, BenchMetric.RSS)));
        goals.add(atMost(15, "1 guest: private MB", samples.median(one, BenchMetric.PRIVATE)));
        goals.add(atMost(60, "1,000 guests: RSS MB", samples.median(thousand, BenchMetric.RSS)));
    }

    private OptionalDouble ofReference(Subject subject, BenchMetric figure) {
        return samples.ratio(subject, figure, BenchCandidate.REFERENCE);
    }

    private static Subject single(Case load, CpuPlacement placement, String candidate) {
        return new Subject(BenchReportSection.SINGLE, load.scenario(placement), candidate);
    }
}
