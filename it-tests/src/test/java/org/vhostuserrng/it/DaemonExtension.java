package org.vhostuserrng.it;

import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Starts the daemons of a test in a directory of their own and ends them with it; a failed test shows their logs. */
final class DaemonExtension implements BeforeEachCallback, AfterEachCallback {
    private final List<DaemonProcess> daemons = new ArrayList<>();
    private Path directory;

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        directory = Files.createTempDirectory("vhost-user-rng");
    }

    /** A directory that lives as long as the test. */
    Path directory() {
        return directory;
    }

    /** Starts a daemon and waits until its only socket is there. */
    DaemonProcess start(String... options) throws IOException {
        DaemonProcess daemon = launch(options);
        awaitSocket(daemon, daemon.socket());
        return daemon;
    }

    /** Starts a daemon with several sockets and waits until they are there. */
    DaemonProcess startForGuests(int guests, String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--socket-count=" + guests);
        DaemonProcess daemon = launch(all.toArray(String[]::new));
        for (int i = 0; i < guests; i++) {
            awaitSocket(daemon, daemon.socket(i));
        }
        return daemon;
    }

    /** Starts a daemon with two sockets whose JVM tells, in the log, what it compiles. */
    DaemonProcess startTellingWhatIsCompiled() throws IOException {
        Path log = directory.resolve("log" + daemons.size());
        DaemonProcess daemon =
                DaemonProcess.launchWithJavaOptions(socketPath(), log, "-XX:+PrintCompilation", "--socket-count=2");
        daemons.add(daemon);
        awaitSocket(daemon, daemon.socket(0));
        awaitSocket(daemon, daemon.socket(1));
        return daemon;
    }

    /** Starts a daemon at the socket path all daemons of the test share, and does not wait for it. */
    DaemonProcess launch(String... options) throws IOException {
        Path log = directory.resolve("log" + daemons.size());
        DaemonProcess daemon = DaemonProcess.launch(socketPath(), log, options);
        daemons.add(daemon);
        return daemon;
    }

    /** Starts a daemon that connects to the socket path all daemons of the test share. */
    DaemonProcess launchConnecting() throws IOException {
        DaemonProcess daemon = DaemonProcess.launchConnecting(socketPath(), directory.resolve("log" + daemons.size()));
        daemons.add(daemon);
        return daemon;
    }

    /** The daemon that was launched last. */
    DaemonProcess latest() {
        return daemons.getLast();
    }

    /** Kills all daemons with SIGKILL. */
    void killAll() {
        daemons.forEach(DaemonProcess::close);
    }

    Path socketPath() {
        return directory.resolve("socket");
    }

    private static void awaitSocket(DaemonProcess daemon, Path socket) throws IOException {
        eventually("the daemon ended or listens", () -> !daemon.isAlive() || listens(socket));
        if (!daemon.isAlive()) {
            throw new AssertionError("the daemon ended: " + daemon.log());
        }
    }

    /** Whether somebody listens, without connecting: a connection would be a session. */
    static boolean listens(Path socket) throws IOException {
        String accepting = " 00010000 0001 01 ";
        try (Stream<String> sockets = Files.lines(Path.of("/proc/net/unix"))) {
            return sockets.anyMatch(line -> line.contains(accepting) && line.endsWith(" " + socket));
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        for (DaemonProcess daemon : daemons) {
            daemon.close();
            if (context.getExecutionException().isPresent()) {
                Throwable failure = context.getExecutionException().get();
                failure.addSuppressed(new AssertionError("the daemon's log:\n" + daemon.log()));
            }
        }
        deleteDirectory();
    }

    private void deleteDirectory() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
