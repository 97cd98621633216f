package org.vhostuserrng.cli.benchsuite;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A back-end to measure.
 *
 * @param name name in the report
 * @param commandLine words of the command line. {@value #SOCKET_PLACEHOLDER} is replaced by the path of the socket,
 *     {@value #GUESTS_PLACEHOLDER} by the number of guests
 * @param packed whether the guests use a packed virtqueue
 */
record BenchCandidate(String name, List<String> commandLine, boolean packed) {
    static final String SOCKET_PLACEHOLDER = "{socket}";
    static final String GUESTS_PLACEHOLDER = "{guests}";

    /** Name of the reference: the back-end with which the other results are compared. */
    static final String REFERENCE = "C getrandom";
    /** Name of the reference with a generator in the process instead of getrandom(2), for comparison with the DRBG. */
    static final String REFERENCE_NO_SYSCALL = "C no syscall";
    /** Name of the reference that busy-polls before it sleeps. */
    static final String REFERENCE_BUSY_POLL = "C getrandom, busy poll";

    /** Prefix of the names of other projects' daemons. */
    static final String PEER_PREFIX = "peer ";

    private static final String DAEMON_PREFIX = "vhost-user-rng ";

    /** How long the reference busy-polls, in µs: as long as this project's daemon on more than one CPU. */
    private static final int BUSY_POLL_MICROS = 50;

    /** Returns this project's daemon with a source. */
    static BenchCandidate daemon(Path program, String source) {
        return daemon(program, source, daemonName(source), false);
    }

    /** Returns this project's daemon with a source and a packed virtqueue. */
    static BenchCandidate daemonPacked(Path program, String source) {
        return daemon(program, source, daemonName(source) + ", packed", true);
    }

    private static BenchCandidate daemon(Path program, String source, String name, boolean packed) {
        List<String> words = new ArrayList<>(List.of(
                program.toString(),
                "--socket-path=" + SOCKET_PLACEHOLDER,
                "--socket-count=" + GUESTS_PLACEHOLDER,
                "--source=" + source));
        if (packed) {
            words.add("--packed");
        }
        return new BenchCandidate(name, List.copyOf(words), packed);
    }

    /** Returns the candidate name of this project's daemon with a source. */
    static String daemonName(String source) {
        return DAEMON_PREFIX + source;
    }

    static BenchCandidate reference(Path program) {
        return reference(program, REFERENCE, 0, "getrandom");
    }

    static BenchCandidate referenceNoSyscall(Path program) {
        return reference(program, REFERENCE_NO_SYSCALL, 0, "stream");
    }

    static BenchCandidate referenceBusyPoll(Path program) {
        return reference(program, REFERENCE_BUSY_POLL, BUSY_POLL_MICROS, "getrandom");
    }

    private static BenchCandidate reference(Path program, String name, int busyPollMicros, String source) {
        return new BenchCandidate(
                name,
                List.of(
                        program.toString(),
                        SOCKET_PLACEHOLDER,
                        GUESTS_PLACEHOLDER,
                        Integer.toString(busyPollMicros),
                        source),
                false);
    }

    /** Returns another daemon, named after its program. The command line is split at spaces. */
    static BenchCandidate peer(String command) {
        List<String> words = List.of(command.strip().split(" +"));
        return new BenchCandidate(PEER_PREFIX + Path.of(words.getFirst()).getFileName(), words, false);
    }

    /** Whether the command line has a placeholder for the number of guests. */
    boolean servesManyGuests() {
        return commandLine.stream().anyMatch(word -> word.contains(GUESTS_PLACEHOLDER));
    }

    List<String> command(Path socket, int guests) {
        return commandLine.stream()
                .map(word -> word.replace(SOCKET_PLACEHOLDER, socket.toString())
                        .replace(GUESTS_PLACEHOLDER, Integer.toString(guests)))
                .toList();
    }

    /** Returns the sockets of the guests: numbered paths if the back-end serves many guests, otherwise one path. */
    List<Path> sockets(Path socket, int guests) {
        if (!servesManyGuests()) {
            return List.of(socket);
        }
        return IntStream.range(0, guests)
                .mapToObj(i -> Path.of(socket.toString() + i))
                .toList();
    }
}
