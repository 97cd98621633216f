package org.vhostuserrng.cli.suite;

import static org.vhostuserrng.cli.suite.Goal.atLeast;
import static org.vhostuserrng.cli.suite.Goal.atMost;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.vhostuserrng.cli.suite.Samples.Subject;
import org.vhostuserrng.cli.suite.SingleGuest.Case;

/** The project's goals beside what was measured in this run: ratios wherever there is something to compare with. */
final class Goals {
    private static final String OURS = Candidate.ourName(Lineup.SOURCE);
    private static final String OURS_GENERATOR = Candidate.ourName(Lineup.GENERATOR);
    private static final int HUNDRED = 100;
    private static final int THOUSAND = 1000;

    private final Samples samples;

    Goals(Samples samples) {
        this.samples = samples;
    }

    List<Goal> all() {
        List<Goal> goals = new ArrayList<>();
        latency(goals);
        throughput(goals);
        machine(goals);
        guests(goals);
        process(goals);
        return goals;
    }

    private void latency(List<Goal> goals) {
        Subject oneCpu = single(Case.ONE_AT_A_TIME, Placement.ONE_CPU, OURS);
        samples.subjects(Section.SINGLE).stream()
                .map(Subject::candidate)
                .filter(name -> name.startsWith(Candidate.PEER))
                .distinct()
                .forEach(peer -> goals.add(
                        atMost(0.9, "64 B, depth 1, one CPU: p50 ÷ " + peer, samples.ratio(oneCpu, Figure.P50, peer))));
        goals.add(atMost(
                1,
                "64 B, depth 1, one CPU: p50 ÷ " + Candidate.REFERENCE,
                samples.ratio(oneCpu, Figure.P50, Candidate.REFERENCE)));
        goals.add(atMost(
                1.5,
                "64 B, depth 1, two CPUs, spinning guest: p50 ÷ " + Candidate.REFERENCE_SPIN,
                samples.ratio(
                        single(Case.ONE_AT_A_TIME_SPINNING, Placement.TWO_CPUS, OURS),
                        Figure.P50,
                        Candidate.REFERENCE_SPIN)));
    }

    private void throughput(List<Goal> goals) {
        for (Placement placement : Placement.values()) {
            String load = "64 B, depth 64, " + placement.label() + ": ";
            Subject ours = single(Case.MANY_SMALL, placement, OURS);
            Subject generator = single(Case.MANY_SMALL, placement, OURS_GENERATOR);
            goals.add(atLeast(1.5, load + "drbg, requests/s ÷ C", ofReference(generator, Figure.RATE)));
            goals.add(atLeast(0.75, load + "getrandom, requests/s ÷ C", ofReference(ours, Figure.RATE)));
            goals.add(atMost(1, load + "interrupts/request ÷ C", ofReference(ours, Figure.INTERRUPTS)));
        }
        bandwidth(goals, Case.PAGES, "4 KiB, depth 16", 1000);
        bandwidth(goals, Case.LARGE, "64 KiB, depth 8", 1500);
    }

    private void bandwidth(List<Goal> goals, Case load, String label, double generated) {
        // "Equal" within what such a run can tell apart.
        goals.add(atLeast(
                0.95,
                label + ", one CPU: getrandom, MB/s ÷ C",
                ofReference(single(load, Placement.ONE_CPU, OURS), Figure.BANDWIDTH)));
        goals.add(atLeast(
                generated,
                label + ", one CPU: drbg, MB/s",
                samples.median(single(load, Placement.ONE_CPU, OURS_GENERATOR), Figure.BANDWIDTH)));
    }

    private void machine(List<Goal> goals) {
        OptionalDouble ratio = samples.subjects(Section.MACHINE).stream()
                .filter(subject -> subject.candidate().equals(OURS))
                .map(subject -> samples.ratio(subject, Figure.HWRNG, GuestRate.BUILTIN))
                .findFirst()
                .orElse(OptionalDouble.empty());
        goals.add(atLeast(1, "/dev/hwrng under QEMU: kB/s ÷ rng-builtin", ratio));
    }

    private void guests(List<Goal> goals) {
        Subject hundred = new Subject(Section.MANY, ManyGuests.scenario(HUNDRED, Placement.ONE_CPU), OURS);
        goals.add(atLeast(0.8, "100 guests, 16 in flight, one CPU: requests/s ÷ C", ofReference(hundred, Figure.RATE)));
        Subject thousand = new Subject(Section.PACED, ManyGuests.scenario(THOUSAND, Placement.TWO_CPUS), OURS);
        goals.add(atMost(1000, "1,000 guests, 10,000 requests/s: p99 µs", samples.median(thousand, Figure.P99)));
        Subject further = new Subject(Section.FURTHER, Guests.label(THOUSAND), OURS);
        goals.add(atMost(15, "a further guest: private kB", samples.median(further, Figure.FURTHER_PRIVATE)));
        goals.add(atMost(4, "a further guest: fds", samples.median(further, Figure.FURTHER_DESCRIPTORS)));
        goals.add(atMost(0, "a further guest: threads", samples.median(further, Figure.FURTHER_THREADS)));
    }

    private void process(List<Goal> goals) {
        goals.add(atMost(
                120,
                "listening after ms",
                samples.median(new Subject(Section.START_UP, StartUp.SCENARIO, OURS), Figure.LISTENING)));
        Subject one = new Subject(Section.MEMORY, Guests.label(1), OURS);
        Subject thousand = new Subject(Section.MEMORY, Guests.label(THOUSAND), OURS);
        goals.add(atMost(40, "1 guest: RSS MB", samples.median(one, Figure.RSS)));
        goals.add(atMost(15, "1 guest: private MB", samples.median(one, Figure.PRIVATE)));
        goals.add(atMost(60, "1,000 guests: RSS MB", samples.median(thousand, Figure.RSS)));
    }

    private OptionalDouble ofReference(Subject subject, Figure figure) {
        return samples.ratio(subject, figure, Candidate.REFERENCE);
    }

    private static Subject single(Case load, Placement placement, String candidate) {
        return new Subject(Section.SINGLE, load.scenario(placement), candidate);
    }
}
