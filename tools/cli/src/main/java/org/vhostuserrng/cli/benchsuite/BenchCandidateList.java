package org.vhostuserrng.cli.benchsuite;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The back-ends to measure.
 *
 * @param program path of this project's daemon
 * @param reference path of the reference back-end; empty if there is no C compiler
 * @param peers other daemons
 */
record BenchCandidateList(Path program, Optional<Path> reference, List<BenchCandidate> peers) {
    /** The default of {@code --source}. */
    static final String DEFAULT_SOURCE = "getrandom";

    static final String DRBG_SOURCE = "drbg";
    private static final List<String> SOURCES = List.of(DEFAULT_SOURCE, "file:/dev/urandom", "rdrand", DRBG_SOURCE);

    /**
     * Returns the candidates for one guest: the daemon with each source, the daemon with a packed virtqueue, and the
     * other back-ends.
     */
    List<BenchCandidate> forOneGuest(CpuPlacement placement) {
        List<BenchCandidate> all = new ArrayList<>();
        SOURCES.forEach(source -> all.add(BenchCandidate.daemon(program, source)));
        all.add(BenchCandidate.daemonPacked(program, DEFAULT_SOURCE));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        reference.map(BenchCandidate::referenceNoSyscall).ifPresent(all::add);
        if (placement == CpuPlacement.TWO_CPUS) {
            reference.map(BenchCandidate::referenceBusyPoll).ifPresent(all::add);
        }
        all.addAll(peers);
        return all;
    }

    /**
     * Returns the candidates for many guests: the daemon with its default source and with the DRBG, which has a
     * separate state for each guest, and the other back-ends.
     */
    List<BenchCandidate> forManyGuests(int guests) {
        List<BenchCandidate> all = new ArrayList<>(
                List.of(BenchCandidate.daemon(program, DEFAULT_SOURCE), BenchCandidate.daemon(program, DRBG_SOURCE)));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        peers.stream().filter(peer -> guests == 1 || peer.servesManyGuests()).forEach(all::add);
        return all;
    }

    /** Returns the daemon with its default source only, and the other back-ends. */
    List<BenchCandidate> withDefaultSource() {
        List<BenchCandidate> all = new ArrayList<>(List.of(BenchCandidate.daemon(program, DEFAULT_SOURCE)));
        reference.map(BenchCandidate::reference).ifPresent(all::add);
        all.addAll(peers);
        return all;
    }
}
