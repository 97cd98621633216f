package org.vhostuserrng.cli.suite;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.suite.Samples.Subject;
import org.vhostuserrng.frontend.BrokenDeviceException;

/**
 * What a process holds that serves so many guests and has served them for a while; and how much more than that is than
 * when it served one of them, its sockets listening for all.
 */
final class Memory {
    private static final double KB = 1e3;
    private static final double MB = 1e6;

    private final Bench bench;

    Memory(Bench bench) {
        this.bench = bench;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        for (int guests : bench.pace().guests()) {
            bench.progress().accept("memory, " + Guests.label(guests));
            for (Candidate candidate : bench.lineup().forManyGuests(guests)) {
                try {
                    measure(candidate, guests);
                } catch (IOException | BrokenDeviceException failed) {
                    bench.remark("memory, " + Guests.label(guests) + ": " + failed.getMessage());
                }
            }
        }
    }

    private void measure(Candidate candidate, int guests) throws IOException, InterruptedException {
        try (Backend backend = Backend.start(candidate, guests, Placement.best())) {
            measure(backend, guests);
        }
    }

    private void measure(Backend backend, int guests) throws IOException, InterruptedException {
        Candidate candidate = backend.candidate();
        try (Crowd first = Crowd.connect(backend.sockets().subList(0, 1))) {
            Footprint one = footprintAfterLoad(backend, first);
            if (guests == 1) {
                account(candidate, guests, one);
                return;
            }
            try (Crowd others = Crowd.connect(backend.sockets().subList(1, guests))) {
                Footprint all = footprintAfterLoad(backend, others);
                account(candidate, guests, all);
                further(new Subject(Section.FURTHER, Guests.label(guests), candidate.name()), one, all, guests - 1.0);
            }
        }
    }

    private Footprint footprintAfterLoad(Backend backend, Crowd crowd) throws IOException, InterruptedException {
        crowd.storm();
        crowd.keepInFlight(ManyGuests.IN_FLIGHT, bench.pace().measured().toNanos());
        TimeUnit.NANOSECONDS.sleep(bench.pace().settle().toNanos());
        return backend.files().footprint();
    }

    private void account(Candidate candidate, int guests, Footprint footprint) {
        Subject whole = new Subject(Section.MEMORY, Guests.label(guests), candidate.name());
        Samples samples = bench.samples();
        samples.add(whole, Figure.RSS, footprint.rss() / MB);
        samples.add(whole, Figure.PSS, footprint.pss() / MB);
        samples.add(whole, Figure.PRIVATE, footprint.privateBytes() / MB);
        samples.add(whole, Figure.DESCRIPTORS, footprint.descriptors());
        samples.add(whole, Figure.THREADS, footprint.threads());
    }

    private void further(Subject subject, Footprint one, Footprint all, double further) {
        Samples samples = bench.samples();
        samples.add(subject, Figure.FURTHER_PRIVATE, (all.privateBytes() - one.privateBytes()) / KB / further);
        samples.add(subject, Figure.FURTHER_PSS, (all.pss() - one.pss()) / KB / further);
        samples.add(subject, Figure.FURTHER_RSS, (all.rss() - one.rss()) / KB / further);
        samples.add(subject, Figure.FURTHER_DESCRIPTORS, (all.descriptors() - one.descriptors()) / further);
        samples.add(subject, Figure.FURTHER_THREADS, (all.threads() - one.threads()) / further);
    }
}
