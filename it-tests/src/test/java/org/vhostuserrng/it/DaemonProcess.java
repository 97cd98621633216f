package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A running daemon, seen from outside. */
final class DaemonProcess implements AutoCloseable {
    /** Where it is in /proc/PID/stat, counted from the field after the name (proc_pid_stat(5)). */
    private static final int NICE = 16;

    private final Process process;
    private final Path socket;
    private final Path log;

    private DaemonProcess(Process process, Path socket, Path log) {
        this.process = process;
        this.socket = socket;
        this.log = log;
    }

    /** Starts one whose socket paths begin with {@code socket}; does not wait for it. */
    static DaemonProcess launch(Path socket, Path log, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addFirst("--socket-path=" + socket);
        return launch(arguments, socket, log, Map.of());
    }

    /** As {@link #launch(Path, Path, String...)}, with options for its JVM. */
    static DaemonProcess launchWithJavaOptions(Path socket, Path log, String javaOptions, String... options)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addFirst("--socket-path=" + socket);
        return launch(arguments, socket, log, Map.of("VHOST_USER_RNG_JAVA_OPTS", javaOptions));
    }

    /** Starts one that connects to {@code socket}. */
    static DaemonProcess launchConnecting(Path socket, Path log) throws IOException {
        return launch(List.of("--connect=" + socket), socket, log, Map.of());
    }

    private static DaemonProcess launch(List<String> arguments, Path socket, Path log, Map<String, String> environment)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(PackagedProgram.command(arguments.toArray(String[]::new)))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        return new DaemonProcess(builder.start(), socket, log);
    }

    /** The socket of a daemon that has one. */
    Path socket() {
        return socket;
    }

    /** One of the sockets of a daemon that was started with --socket-count. */
    Path socket(int number) {
        return Path.of(socket.toString() + number);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** The exit status; fails when it has not ended within the time. */
    int awaitExit(Duration timeout) throws InterruptedException {
        if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("the daemon did not end within " + timeout.toMillis() + " ms");
        }
        return process.exitValue();
    }

    /** What the open file descriptors refer to. */
    List<String> fds() throws IOException {
        return children("fd").stream().flatMap(DaemonProcess::target).toList();
    }

    /** Names of the threads, without the compiler's, which come and go as the JVM likes. */
    List<String> threads() throws IOException {
        return children("task").stream()
                .flatMap(DaemonProcess::threadName)
                .filter(name -> !isCompiler(name))
                .sorted()
                .toList();
    }

    /** The nice values of the compiler's threads. */
    Set<Integer> compilerNice() throws IOException {
        return children("task").stream()
                .filter(task -> threadName(task).anyMatch(DaemonProcess::isCompiler))
                .flatMap(DaemonProcess::nice)
                .collect(Collectors.toSet());
    }

    private static boolean isCompiler(String thread) {
        return thread.startsWith("C1 ") || thread.startsWith("C2 ");
    }

    private static Stream<Integer> nice(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"));
            return Stream.of(
                    Integer.valueOf(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[NICE]));
        } catch (IOException endedMeanwhile) {
            return Stream.empty();
        }
    }

    private static Stream<String> target(Path fd) {
        try {
            return Stream.of(Files.readSymbolicLink(fd).toString());
        } catch (IOException closedMeanwhile) {
            return Stream.empty();
        }
    }

    private static Stream<String> threadName(Path task) {
        try {
            return Stream.of(Files.readString(task.resolve("comm")).strip());
        } catch (IOException endedMeanwhile) {
            return Stream.empty();
        }
    }

    /** The text of /proc/PID/maps. */
    String maps() throws IOException {
        return Files.readString(proc("maps"), StandardCharsets.UTF_8);
    }

    /** Bytes of its memory that are in the machine's, those shared with guests apart (RssAnon). */
    long residentMemory() throws IOException {
        String line = Files.readAllLines(proc("status")).stream()
                .filter(status -> status.startsWith("RssAnon:"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
    }

    /** The processor time that all its threads have had. */
    Duration cpuTime() {
        return process.info().totalCpuDuration().orElseThrow();
    }

    /** Everything it has printed. */
    String log() throws IOException {
        return Files.readString(log, StandardCharsets.UTF_8);
    }

    private List<Path> children(String directory) throws IOException {
        try (Stream<Path> children = Files.list(proc(directory))) {
            return children.toList();
        }
    }

    private Path proc(String name) {
        return Path.of("/proc", Long.toString(process.pid()), name);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
