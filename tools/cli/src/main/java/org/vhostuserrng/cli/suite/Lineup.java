package org.vhostuserrng.cli.suite;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which back-ends there are.
 *
 * @param program this project's daemon
 * @param reference the back-end in C, where it could be compiled
 * @param peers further ones
 */
record Lineup(Path program, Optional<Path> reference, List<Candidate> peers) {
    /** The daemon's default. */
    static final String SOURCE = "getrandom";

    static final String GENERATOR = "drbg";
    private static final List<String> SOURCES = List.of(SOURCE, "file:/dev/urandom", "rdrand", GENERATOR);

    /** For one guest: every source, either format of virtqueue. */
    List<Candidate> forOneGuest(Placement placement) {
        List<Candidate> all = new ArrayList<>();
        SOURCES.forEach(source -> all.add(Candidate.ours(program, source)));
        all.add(Candidate.oursPacked(program, SOURCE));
        reference.map(Candidate::reference).ifPresent(all::add);
        reference.map(Candidate::referenceStream).ifPresent(all::add);
        if (placement == Placement.TWO_CPUS) {
            reference.map(Candidate::referenceSpin).ifPresent(all::add);
        }
        all.addAll(peers);
        return all;
    }

    /** For many guests: the usual source and a generator for each guest. */
    List<Candidate> forManyGuests(int guests) {
        List<Candidate> all =
                new ArrayList<>(List.of(Candidate.ours(program, SOURCE), Candidate.ours(program, GENERATOR)));
        reference.map(Candidate::reference).ifPresent(all::add);
        peers.stream().filter(peer -> guests == 1 || peer.servesMany()).forEach(all::add);
        return all;
    }

    /** The usual source only. */
    List<Candidate> withUsualSource() {
        List<Candidate> all = new ArrayList<>(List.of(Candidate.ours(program, SOURCE)));
        reference.map(Candidate::reference).ifPresent(all::add);
        all.addAll(peers);
        return all;
    }
}
