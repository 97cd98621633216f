package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests a source that is the output of a program. */
class CommandSourceIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "command:cat /dev/urandom",
                "command:sh -c \"cat /dev/urandom\"",
                "command:sh -c 'while :; do head -c 4096 /dev/urandom; done'",
                "command:dd if=/dev/urandom bs=4k count=1,health=off",
                "xor(command:sh -c \"(cat /dev/urandom)\",getrandom)"
            })
    void outputIsServed(String source) throws Exception {
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int bytes = 0; bytes < 16384; ) {
                bytes += guest.request(1024, HANG_TIMEOUT).length;
            }
        }
    }

    @Test
    void stderrAndExitStatusAreInTheLog() throws Exception {
        DaemonProcess daemon = daemons.start("--source=command:sh -c 'printf \"no \\033[2Jdevice\\n\" >&2; exit 3'");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertEventually("the log has the line", () -> daemon.log().contains("no ?[2Jdevice"));
            assertEventually("the log has the status", () -> daemon.log().contains("exited with status 3"));
        }
    }

    @Test
    void silenceAfterAFailureIsInTheLog() throws Exception {
        Path failed = daemons.directory().resolve("failed");
        DaemonProcess daemon = daemons.start(
                "--source=command:sh -c 'test -e " + failed + " && sleep 1000; touch " + failed + "; exit 3'");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertEventually("the log has the failure", () -> daemon.log().contains("exited with status 3"));
            assertEventually("the log has the silence", () -> daemon.log().contains("no bytes for 5 s"));
        }
    }

    @Test
    void programGetsTheOriginalEnvironmentAndSignals() throws Exception {
        Path environment = daemons.directory().resolve("environment");
        DaemonProcess daemon = daemons.start("--source=command:sh -c 'echo ${LC_ALL-none} ${MALLOC_ARENA_MAX-none} >"
                + environment + "; grep SigIgn /proc/self/status >>" + environment + "; exec cat /dev/urandom'");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
        }

        List<String> lines = Files.readAllLines(environment);
        String original = Objects.requireNonNullElse(System.getenv("LC_ALL"), "none") + " "
                + Objects.requireNonNullElse(System.getenv("MALLOC_ARENA_MAX"), "none");
        assertEquals(original, lines.getFirst());
        // signal(7): the real-time signals begin at 34, bit 33.
        long ignored = Long.parseUnsignedLong(lines.getLast().replaceAll("\\W|SigIgn", ""), 16);
        assertEquals(0, ignored >>> 33);
    }

    private Path pids() {
        return daemons.directory().resolve("pids");
    }

    /**
     * Returns a source whose program writes its own process ID and that of its child to a file. The program does not
     * end when its output is closed.
     */
    private String stubborn() {
        return "--source=command:sh -c 'trap \"\" TERM PIPE HUP; sleep 1000 & echo $! $$ >" + pids()
                + "; while :; do head -c 4096 /dev/urandom; sleep 0.1; done'";
    }

    private void awaitEndOfTheProgram() {
        assertEventually("the program and its child have ended", () -> {
            boolean ended = true;
            for (String pid : Files.readString(pids()).strip().split(" ", -1)) {
                ended &= !isRunning(pid);
            }
            return ended;
        });
    }

    private static boolean isRunning(String pid) {
        try {
            String stat = Files.readString(Path.of("/proc", pid, "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException gone) {
            return false;
        }
    }

    @Test
    void programEndsWithTheGuest() throws Exception {
        DaemonProcess daemon = daemons.start(stubborn());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
        }

        awaitEndOfTheProgram();
    }

    @Test
    void programEndsWithTheDaemon() throws Exception {
        DaemonProcess daemon = daemons.start(stubborn());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            daemon.terminate();

            assertEquals(0, daemon.awaitExit());
            awaitEndOfTheProgram();
        }
    }

    @Test
    void programEndsWhenTheDaemonIsKilled() throws Exception {
        DaemonProcess daemon = daemons.start(stubborn());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            daemon.close();

            awaitEndOfTheProgram();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"command:", "command:no-such-program -x", "command:sh -c \"cat", "command:/etc/passwd"})
    void badCommandIsReportedInOneLine(String source) throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--source=" + source);

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains(source), result::stderr);
    }

    @Test
    void checkSourceReadsTheOutputOfACommand() throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run("check-source", "command:sh -c \"cat /dev/urandom\"", "--bytes=65536", "--json");

        assertEquals(0, result.status(), result::stderr);
    }
}
