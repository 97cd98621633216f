package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.it.fixture.PackagedProgram;

/** Tests {@code --ready-fd}, {@code --exit-with-fd}, {@code --log-level}, and log lines for systemd's journal. */
class SupervisorIT {
    @TempDir
    private Path directory;

    private Process process;

    @AfterEach
    void kill() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }

    /** Starts the daemon by a shell with redirections. The daemon's standard input is a pipe from this process. */
    private void start(String redirections, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" " + redirections, "sh"));
        command.addAll(PackagedProgram.commandLine("--socket-path=" + socket()));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
    }

    private Path socket() {
        return directory.resolve("socket");
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }

    private void awaitLog(String part) {
        assertEventually("the log contains " + part, () -> log().contains(part));
    }

    private int awaitExit() throws InterruptedException {
        assertTrue(process.waitFor(HANG_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
        return process.exitValue();
    }

    @Test
    void writesANewlineWhenItListens() throws Exception {
        start("3>ready", "--ready-fd=3");

        assertEventually(
                "it is ready",
                () -> Files.exists(directory.resolve("ready"))
                        && Files.readString(directory.resolve("ready")).equals("\n"));

        assertTrue(Files.exists(socket()));
    }

    @Test
    void endsWhenTheOtherEndOfAPipeIsClosed() throws Exception {
        start("4<&0 0</dev/null", "--exit-with-fd=4");
        awaitLog("listening on");
        process.getOutputStream().write('x');
        process.getOutputStream().flush();
        assertTrue(process.isAlive());

        process.getOutputStream().close();

        assertEquals(0, awaitExit());
        assertFalse(Files.exists(socket()));
    }

    @Test
    void aDescriptorOfAnotherKindIsRefusedInOneLine() throws Exception {
        start("4<log", "--exit-with-fd=4");

        assertEquals(2, awaitExit());
        assertEquals("vhost-user-rng: --exit-with-fd=4: not the read end of a pipe, nor a socket\n", log());
    }

    @Test
    void logsOnlyLinesOfTheLevelAndAbove() throws Exception {
        start("3>ready", "--ready-fd=3", "--log-level=error");
        assertEventually(
                "it is ready",
                () -> Files.exists(directory.resolve("ready")) && Files.size(directory.resolve("ready")) == 1);

        process.destroy();

        awaitExit();
        assertEquals("", log());
    }

    @Test
    void linesForTheJournalHaveAPriority() throws Exception {
        Path log = Files.createFile(directory.resolve("log"));
        Map<String, Object> file = Files.readAttributes(log, "unix:dev,ino");
        List<String> command =
                new ArrayList<>(List.of("env", "JOURNAL_STREAM=" + file.get("dev") + ":" + file.get("ino")));
        command.addAll(PackagedProgram.commandLine("--socket-path=" + socket()));
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();

        awaitLog("<6>INFO listening on");
    }
}
