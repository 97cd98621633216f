package org.vhostuserrng.cli.benchsuite;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A back-end that can be started: its command line, in which {@value #SOCKET} is the socket's path and {@value #GUESTS}
 * the number of guests.
 *
 * @param name in the report
 * @param words of the command line
 * @param packed whether it is measured with a packed virtqueue
 */
record BenchCandidate(String name, List<String> words, boolean packed) {
    static final String SOCKET = "{socket}";
    static final String GUESTS = "{guests}";

    /** Of which the others are multiples. */
    static final String REFERENCE = "C getrandom";
    /** Of the reference, without its system call: what a generator in the process can be compared with. */
    static final String REFERENCE_STREAM = "C no kernel";
    /** Of the reference, looking at the ring for a while before it sleeps. */
    static final String REFERENCE_SPIN = "C getrandom, spin";

    /** What the names of further daemons begin with. */
    static final String PEER = "peer ";

    private static final String OURS = "vhost-user-rng ";

    /** How long the reference spins, as long as this project's daemon does where it has more than one CPU. */
    private static final int SPIN_MICROS = 50;

    /** This project's daemon. */
    static BenchCandidate ours(Path program, String source) {
        return ours(program, source, ourName(source), false);
    }

    /** This project's daemon, with a packed virtqueue. */
    static BenchCandidate oursPacked(Path program, String source) {
        return ours(program, source, ourName(source) + ", packed", true);
    }

    private static BenchCandidate ours(Path program, String source, String name, boolean packed) {
        List<String> words = new ArrayList<>(List.of(
                program.toString(), "--socket-path=" + SOCKET, "--socket-count=" + GUESTS, "--source=" + source));
        if (packed) {
            words.add("--packed");
        }
        return new BenchCandidate(name, List.copyOf(words), packed);
    }

    /** The name of this project's daemon with a source. */
    static String ourName(String source) {
        return OURS + source;
    }

    static BenchCandidate reference(Path program) {
        return reference(program, REFERENCE, 0, "getrandom");
    }

    static BenchCandidate referenceStream(Path program) {
        return reference(program, REFERENCE_STREAM, 0, "stream");
    }

    static BenchCandidate referenceSpin(Path program) {
        return reference(program, REFERENCE_SPIN, SPIN_MICROS, "getrandom");
    }

    private static BenchCandidate reference(Path program, String name, int spinMicros, String source) {
        return new BenchCandidate(
                name, List.of(program.toString(), SOCKET, GUESTS, Integer.toString(spinMicros), source), false);
    }

    /** Any other daemon, named after its program; the command line is split at spaces. */
    static BenchCandidate peer(String command) {
        List<String> words = List.of(command.strip().split(" +"));
        return new BenchCandidate(PEER + Path.of(words.getFirst()).getFileName(), words, false);
    }

    /** Whether it can be told for how many guests it is. */
    boolean servesMany() {
        return words.stream().anyMatch(word -> word.contains(GUESTS));
    }

    List<String> command(Path socket, int guests) {
        return words.stream()
                .map(word -> word.replace(SOCKET, socket.toString()).replace(GUESTS, Integer.toString(guests)))
                .toList();
    }

    /** The sockets of its guests: numbered where it serves many. */
    List<Path> sockets(Path socket, int guests) {
        if (!servesMany()) {
            return List.of(socket);
        }
        return IntStream.range(0, guests)
                .mapToObj(i -> Path.of(socket.toString() + i))
                .toList();
    }
}
