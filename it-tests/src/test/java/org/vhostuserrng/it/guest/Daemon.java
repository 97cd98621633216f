package org.vhostuserrng.it.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.vhostuserrng.it.program.Program;

/** The packaged program, listening on a socket in a directory of its own. */
final class Daemon implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(20);

    private final Process process;
    private final Path directory;

    private Daemon(Process process, Path directory) {
        this.process = process;
        this.directory = directory;
    }

    static Daemon start(String... options) throws IOException, InterruptedException {
        // Not the test's own temporary directory, whose name may be too long for a socket's path.
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "rng");
        List<String> command = new ArrayList<>();
        command.add(Program.launcher().toString());
        command.add("--socket-path=" + directory.resolve("s"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        Daemon daemon = new Daemon(process, directory);
        Instant limit = Instant.now().plus(START);
        while (!Files.exists(daemon.socket())) {
            if (!process.isAlive() || Instant.now().isAfter(limit)) {
                String log = daemon.log();
                daemon.close();
                throw new IOException("the daemon does not listen; its log:\n" + log);
            }
            process.waitFor(20, TimeUnit.MILLISECONDS);
        }
        return daemon;
    }

    Path socket() {
        return directory.resolve("s");
    }

    String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }

    boolean hasOpen(Path file) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
            return descriptors.anyMatch(descriptor -> pointsTo(descriptor, file));
        }
    }

    private static boolean pointsTo(Path descriptor, Path file) {
        try {
            return Files.readSymbolicLink(descriptor).equals(file);
        } catch (IOException e) {
            // Closed since the directory was listed.
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        if (process.onExit().completeOnTimeout(null, 5, TimeUnit.SECONDS).join() == null) {
            process.destroyForcibly().onExit().join();
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
