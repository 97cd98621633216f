package org.vhostuserrng.cli.benchsuite;

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
record BenchCandidateList(Path program, Optional<Path> reference, List<BenchCandidate> peers) {
    /** The daemon's default. */
    static final String SOURCE = "getrandom";

    static final String GENERATOR = "drbg";
    private static final List<String> SOURCES = List.of(SOURCE, "file:/dev/urandom", "rdrand", GENERATOR);

    /** For one guest: every source, either format of virtqueue. */
    List<BenchCandidate> forOneGuest(CpuPlacement placement) {
        List<BenchCandidate> all = new ArrayList<>();
        SOURCES.forEach(source -> all.add(BenchCandidate.ours(program, source)));
        all.add(BenchCandidate.oursPacked(program, SOURCE));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        reference.map(BenchCandidate::referenceStream).ifPresent(all::add);
        if (placement == CpuPlacement.TWO_CPUS) {
            reference.map(BenchCandidate::referenceSpin).ifPresent(all::add);
        }
        all.addAll(peers);
        return all;
    }

    /** For many guests: the usual source and a generator for each guest. */
    List<BenchCandidate> forManyGuests(int guests) {
        List<BenchCandidate> all =
                new ArrayList<>(List.of(BenchCandidate.ours(program, SOURCE), BenchCandidate.ours(program, GENERATOR)));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        peers.stream().filter(peer -> guests == 1 || peer.servesMany()).forEach(all::add);
        return all;
    }

    /** The usual source only. */
    List<BenchCandidate> withUsualSource() {
        List<BenchCandidate> all = new ArrayList<>(List.of(BenchCandidate.ours(program, SOURCE)));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        all.addAll(peers);
        return all;
    }
}
