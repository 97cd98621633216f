package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests every command in unusual environments: the command works, or fails with a message and an exit status, never
 * with a stack trace.
 */
class RuntimeEnvironmentIT {
    /**
     * Shell commands that run a program in an unusual environment in which it can work. "$@" is the program with its
     * arguments.
     */
    private static final List<String> SURROUNDINGS = List.of(
            "exec env -i \"$@\"",
            "LC_ALL=C exec \"$@\"",
            "LC_ALL=xx_XX.UTF-8 exec \"$@\"",
            "exec \"$@\" <&-",
            "exec \"$@\" 2>/dev/full",
            "VHOST_USER_RNG_JAVA_OPTS=-Djava.io.tmpdir=/nonexistent exec \"$@\"",
            "JDK_JAVA_OPTIONS=-XX:+UseParallelGC JAVA_TOOL_OPTIONS=-Xx _JAVA_OPTIONS=-Xx CLASSPATH=/x exec \"$@\"",
            "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"",
            "CDPATH=/ exec \"$@\"");

    /** Shell commands for environments in which no command can succeed. */
    private static final List<String> HOPELESS = List.of(
            "exec \"$@\" >/dev/full",
            "exec \"$@\" >&-",
            "ulimit -v 500000 && exec \"$@\"",
            "ulimit -d 20000 && exec \"$@\"",
            "ulimit -n 20 && exec \"$@\"");

    private static final List<String> COMMANDS = List.of(
            "--help",
            "--version",
            "--print-capabilities",
            "bench --help",
            "bench-egd --seconds=1",
            "bench-suite --help",
            "check-source getrandom --bytes=20000",
            "egd-server --help",
            "hold --help",
            "metrics --help",
            "period-study --help",
            "top --help",
            "trace --help");

    private static final List<String> SERVICES = List.of(
            "--socket-path=SOCKET", "egd-server --listen=unix:SOCKET", "trace --listen=SOCKET --connect=SOCKET2");

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static Stream<Arguments> product(List<String> surroundings, List<String> commands) {
        return surroundings.stream().flatMap(each -> commands.stream().map(command -> Arguments.of(each, command)));
    }

    static Stream<Arguments> commandsInSurroundings() {
        return Stream.concat(product(SURROUNDINGS, COMMANDS), product(SURROUNDINGS, List.of("hold -- true")));
    }

    static Stream<Arguments> hopelessCommands() {
        return product(HOPELESS, COMMANDS);
    }

    static Stream<Arguments> servicesInSurroundings() {
        return product(SURROUNDINGS, SERVICES);
    }

    private List<String> shell(String script, String command) {
        List<String> words = new ArrayList<>(
                List.of("sh", "-c", script, "sh", HostCommand.launcher().toString()));
        String socket = daemons.socketPath().toString();
        for (String word : command.split(" ", -1)) {
            words.add(word.replace("SOCKET", socket));
        }
        return words;
    }

    private HostCommand.Result run(String script, String command) throws IOException, InterruptedException {
        return HostCommand.run(Map.of(), daemons.directory(), shell(script, command));
    }

    private static void assertNoStackTrace(String output) {
        assertFalse(output.contains("\tat ") || output.contains("Exception in thread"), output);
    }

    private static void assertServes(DaemonProcess daemon) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @ParameterizedTest
    @MethodSource("commandsInSurroundings")
    void commandWorks(String surroundings, String command) throws Exception {
        HostCommand.Result result = run(surroundings, command);

        assertEquals(0, result.status(), result.output());
        assertNoStackTrace(result.output());
    }

    @ParameterizedTest
    @MethodSource("hopelessCommands")
    void commandFailsWithOneLine(String surroundings, String command) throws Exception {
        HostCommand.Result result = run(surroundings, command);

        assertNotEquals(0, result.status(), result.output());
        assertEquals(1, result.output().lines().count(), result.output());
        assertNoStackTrace(result.output());
    }

    @ParameterizedTest
    @MethodSource("servicesInSurroundings")
    void serviceStartsAndEndsWithStatus0(String surroundings, String command) throws Exception {
        Path log = daemons.directory().resolve("output");
        Process service = new ProcessBuilder(shell(surroundings, command))
                .directory(daemons.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertEventually(
                    "it listens or has exited",
                    () -> !service.isAlive() || DaemonExtension.isListening(daemons.socketPath()));

            service.destroy();

            assertTrue(service.waitFor(HANG_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
            String output = Files.readString(log);
            assertEquals(0, service.exitValue(), output);
            assertNoStackTrace(output);
        } finally {
            service.destroyForcibly().waitFor();
        }
    }

    @Test
    void egdServerWithoutStandardOutputFails() throws Exception {
        HostCommand.Result result = run("exec \"$@\" >/dev/full", "egd-server --listen=unix:SOCKET");

        assertEquals(1, result.status(), result.output());
        assertEquals("vhost-user-rng egd-server: cannot write to stdout\n", result.output());
    }

    @Test
    void traceThatCouldNotPrintServesAndEndsWithStatus1() throws Exception {
        DaemonProcess daemon = daemons.start();
        Path listen = daemons.directory().resolve("traced");
        Path log = daemons.directory().resolve("output");
        Process trace = new ProcessBuilder(
                        shell("exec \"$@\" >/dev/full", "trace --listen=" + listen + " --connect=" + daemon.socket()))
                .directory(daemons.directory().toFile())
                .redirectError(log.toFile())
                .start();
        try {
            assertEventually("it listens", () -> DaemonExtension.isListening(listen));
            try (EntropyDriver guest = EntropyDriver.start(listen)) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
            trace.destroy();

            assertTrue(trace.waitFor(HANG_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
            assertEquals(1, trace.exitValue(), Files.readString(log));
            assertEquals("vhost-user-rng trace: recording stopped: cannot write to stdout\n", Files.readString(log));
        } finally {
            trace.destroyForcibly().waitFor();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "check-source \"$(printf 'x\\377')\" --bytes=2000",
                "check-source \"command:cat $PWD/$(printf 'x\\377')\" --bytes=2000",
                "check-source \"command:$PWD/$(printf 'p\\377') /dev/urandom\" --bytes=2000"
            })
    void sourceNameIsAnyBytes(String command) throws Exception {
        String prepare = "head -c 2000 /dev/urandom >\"$(printf 'x\\377')\" && cp /bin/cat \"$(printf 'p\\377')\"";

        HostCommand.Result result = run(prepare + " && exec \"$1\" " + command, "--unused");

        assertEquals(0, result.status(), result.output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"trace --replay=missing", "trace --listen=a --connect=b --record=missing/file"})
    void reasonIsNoClassName(String command) throws Exception {
        HostCommand.Result result = run("exec \"$@\"", command);

        assertEquals(2, result.status(), result.output());
        assertTrue(result.output().endsWith("file: no such file or directory\n"), result.output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "C.UTF-8"})
    void socketNameIsAnyBytes(String locale) throws Exception {
        String launch =
                "LC_ALL=" + locale + " exec \"$1\" --socket-path=\"$(printf '%s/\\303\\251\\377\\033' \"$PWD\")\"";
        Path log = daemons.directory().resolve("output");
        Process daemon = new ProcessBuilder(shell(launch, "--unused"))
                .directory(daemons.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            String socket = daemons.directory() + "/\u00c3\u00a9\u00ff\u001b";
            assertEventually("it listens or has exited", () -> !daemon.isAlive() || bound().contains(socket));
            daemon.destroy();

            assertTrue(daemon.waitFor(HANG_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
            assertEquals(0, daemon.exitValue(), Files.readString(log));
            assertEquals("output", onlyFileName());
            String logged = Files.readString(log);
            assertTrue(logged.contains("/é??"), logged);
            assertTrue(logged.chars().noneMatch(each -> each < ' ' && each != '\n'), logged);
        } finally {
            daemon.destroyForcibly().waitFor();
        }
    }

    /** Returns the bytes of /proc/net/unix as characters. */
    private static String bound() throws IOException {
        return Files.readString(Path.of("/proc/net/unix"), StandardCharsets.ISO_8859_1);
    }

    private String onlyFileName() {
        return String.join(" ", daemons.directory().toFile().list());
    }

    @Test
    void servesWhileStderrIsAFullPipe() throws Exception {
        String launch = "mkfifo full && exec 3<>full && head -c 65536 /dev/zero >&3 && exec \"$@\" 2>full";
        Process daemon = new ProcessBuilder(shell(launch, "--socket-path=SOCKET"))
                .directory(daemons.directory().toFile())
                .start();
        try {
            assertEventually("it listens", () -> DaemonExtension.isListening(daemons.socketPath()));
            for (int i = 0; i < 3; i++) {
                try (EntropyDriver guest = EntropyDriver.start(daemons.socketPath())) {
                    assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
                }
            }
            daemon.destroy();
            assertTrue(daemon.waitFor(HANG_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
            assertEquals(0, daemon.exitValue());
        } finally {
            daemon.destroyForcibly().waitFor();
        }
    }

    @Test
    void reloadsAfterSighupAndGoesOn() throws Exception {
        DaemonProcess daemon = daemons.start();

        daemon.signal("HUP");

        assertEventually("the log says so", () -> daemon.log().contains("settings reloaded"));
        assertServes(daemon);
    }

    @ParameterizedTest
    @ValueSource(strings = {"USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "QUIT", "RTMIN", "64"})
    void survivesSignalsWithoutMeaning(String signal) throws Exception {
        DaemonProcess daemon = daemons.start();

        daemon.signal(signal);

        assertServes(daemon);
        daemon.terminate();
        assertEquals(0, daemon.awaitExit());
        assertNoStackTrace(daemon.log());
    }

    @Test
    void socketPathThatCannotBeBoundIsReportedInOneLineWithItsName() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("--socket-path=/proc/socket");

        assertEquals(1, result.status(), result.stderr());
        assertEquals(1, result.stderr().lines().count(), result.stderr());
        assertTrue(result.stderr().contains("/proc/socket"), result.stderr());
    }
}
