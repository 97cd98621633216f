package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.PseudoTerminal;

/** Tests the signals that end a long-running command, and those that do not. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CommandSignalsIT {
    private static final long HANG_SECONDS = 120;
    /** The bit of SIGQUIT in the masks of /proc/PID/status. */
    private static final long SIGQUIT_BIT = 1 << 2;

    @TempDir
    private Path directory;

    private Process start(String... arguments) throws IOException {
        return new ProcessBuilder(PackagedProgram.commandLineWithDefaultSignals(arguments))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
    }

    private static boolean ignoresQuit(Process process) throws IOException {
        String status = Files.readString(Path.of("/proc", Long.toString(process.pid()), "status"));
        String mask = status.replaceAll("(?s).*SigIgn:\\s*(\\w+).*", "$1");
        return (Long.parseUnsignedLong(mask, 16) & SIGQUIT_BIT) != 0;
    }

    private void send(Process process, String... signals) throws IOException, InterruptedException {
        for (String signal : signals) {
            List<String> kill = List.of("kill", "-s", signal, Long.toString(process.pid()));
            HostCommand.Result result = HostCommand.run(Map.of(), directory, kill);
            assertEquals(0, result.status(), result.output());
        }
    }

    private static int awaitExit(Process process) throws InterruptedException {
        if (!process.waitFor(HANG_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("hangs");
        }
        return process.exitValue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "egd-server --listen=tcp:127.0.0.1:0",
                "metrics --counters-file=DIRECTORY/counters --listen=127.0.0.1:0",
                "metrics --counters-file=DIRECTORY/counters --textfile=DIRECTORY/text.prom --interval=1",
                "trace --listen=DIRECTORY/a --connect=DIRECTORY/b",
                "hold -- sleep 1000"
            })
    void onlySignalsThatAskForTheEndEndACommand(String command) throws Exception {
        Process process =
                start(command.replace("DIRECTORY", directory.toString()).split(" ", -1));
        try {
            assertEventually("the command handles signals", () -> ignoresQuit(process));

            send(process, "QUIT", "ALRM", "PROF", "RTMIN");
            send(process, command.startsWith("hold") ? "IO" : "USR1");
            send(process, "TERM");

            assertEquals(0, awaitExit(process), this::output);
            assertFalse(output().contains("Full thread dump"), this::output);
        } finally {
            process.destroyForcibly();
        }
    }

    private String output() {
        try {
            return Files.readString(directory.resolve("output"));
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }

    private String terminalMode(PseudoTerminal terminal) throws IOException, InterruptedException {
        return HostCommand.run(
                        Map.of(),
                        directory,
                        List.of("stty", "-F", terminal.path().toString(), "-a"))
                .output();
    }

    @ParameterizedTest
    @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
    void checkSourceRestoresTheTerminalAtASignal(String signal, int status) throws Exception {
        try (PseudoTerminal terminal = new PseudoTerminal()) {
            String before = terminalMode(terminal);
            Process process = start("check-source", "file:" + terminal.path(), "--seconds=1000");
            assertEventually("the terminal is raw", () -> terminalMode(terminal).contains("-icanon"));

            send(process, "USR1", signal);

            assertEquals(status, awaitExit(process), this::output);
            assertEquals(before, terminalMode(terminal));
        }
    }

    @Test
    void serviceWithAFullPipeAsStdoutServesAndEnds() throws Exception {
        Path socket = directory.resolve("egd");
        Path fifo = directory.resolve("stdout");
        String fill = "mkfifo " + fifo + "; exec 3<>" + fifo + "; dd if=/dev/zero bs=65536 count=1 >&3 2>/dev/null;"
                + " exec \"$@\" >&3";
        List<String> command = new ArrayList<>(List.of("sh", "-c", fill, "sh"));
        command.addAll(PackagedProgram.commandLine("egd-server", "--listen=unix:" + socket));
        Process process = new ProcessBuilder(command)
                .redirectError(directory.resolve("output").toFile())
                .start();
        try {
            assertEventually("the server listens", () -> Files.exists(socket));
            HostCommand.Result served = HostCommand.run(
                    Map.of(),
                    directory,
                    PackagedProgram.commandLine("check-source", "egd:unix:" + socket, "--bytes=2000"));
            assertTrue(served.output().contains("2000"), served.output());

            send(process, "TERM");

            assertEquals(0, awaitExit(process), this::output);
        } finally {
            process.destroyForcibly();
        }
    }
}
