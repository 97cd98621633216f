package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** {@code ctl source}: sources are tested, quarantined and released while guests are served. */
@Timeout(300)
class SourceControlIT {
    private static final String OK = "ok\n";
    private static final int SOURCE_BYTES = 1 << 20;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path control() {
        return daemons.directory().resolve("control");
    }

    private DaemonProcess start(String... options) throws IOException {
        String[] all = new String[options.length + 1];
        all[0] = "--control-socket=" + control();
        System.arraycopy(options, 0, all, 1, options.length);
        return daemons.start(all);
    }

    private String request(String... words) throws IOException {
        return ControlClient.request(control(), words);
    }

    private String randomFile() throws IOException {
        byte[] bytes = new byte[SOURCE_BYTES];
        new Random(1).nextBytes(bytes);
        return "file:" + Files.write(daemons.directory().resolve("random"), bytes);
    }

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
    }

    @Test
    void guestOfAQuarantinedSourceWaitsUntilItIsReleased() throws Exception {
        DaemonProcess daemon = start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            String quarantined = request("source", "quarantine", "getrandom");
            offer(guest);
            boolean whileQuarantined = guest.awaitUsed(QUIET_PERIOD);
            String status = request("source", "status");

            String released = request("source", "release");

            assertEquals(OK + OK, quarantined + released);
            assertFalse(whileQuarantined);
            assertTrue(status.startsWith("ok\nsource=getrandom\tstate=quarantined\t"), status);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void fallbackServesWhileASourceIsQuarantined() throws Exception {
        String source = randomFile();
        DaemonProcess daemon = start("--source=" + source, "--source=getrandom");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            request("source", "quarantine", source);
            guest.request(64, HANG_TIMEOUT);

            String health = request("health");
            assertTrue(health.contains("status=degraded"), health);
            assertTrue(health.contains("source " + source + ": quarantined"), health);
            assertTrue(health.contains("failovers=1"), health);
        }
    }

    @Test
    void releasedSourceServesAgainAfterItsStartupTests() throws Exception {
        String source = randomFile();
        DaemonProcess daemon = start("--source=" + source, "--source=getrandom");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            request("source", "quarantine", source);
            guest.request(64, HANG_TIMEOUT);

            request("source", "release", source);

            assertEventually("the source serves", () -> {
                guest.request(64, HANG_TIMEOUT);
                return request("source", "status").contains("source=" + source + "\tstate=serves");
            });
        }
    }

    @Test
    void healthySourcePassesItsTests() throws Exception {
        String source = randomFile();
        DaemonProcess daemon = start("--source=" + source);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            String whileServing = request("source", "test");
            guest.request(64, HANG_TIMEOUT);
            String byGuest =
                    request("source", "test", daemon.socket().getFileName().toString());

            String expected = OK + "source=" + source + "\tstart-up-tests=passed\n";
            assertEquals(expected + expected, whileServing + byGuest);
        }
    }

    @Test
    void unusedSourceIsTestedAndClosedAgain() throws Exception {
        String source = randomFile();
        DaemonProcess daemon = start("--source=" + source);
        int fds = daemon.settledFdTargets().size();

        String result = request("source", "test", source);

        assertEquals(OK + "source=" + source + "\tstart-up-tests=passed\n", result);
        assertEventually(
                "as many file descriptors as before",
                () -> daemon.openFdTargets().size() == fds);
    }

    @Test
    void stuckSourceFailsItsTests() throws Exception {
        Path stuck = Files.write(daemons.directory().resolve("stuck"), new byte[8192]);
        start("--source=file:" + stuck);

        PackagedProgram.Result result = PackagedProgram.run("ctl", "--control-socket=" + control(), "source", "test");

        assertEquals(1, result.status());
        assertTrue(result.stderr().contains("start-up tests failed: start-up repetition count test"), result.stderr());
    }

    @Test
    void sourceWithoutHealthTestsSaysSo() throws Exception {
        start();

        String result = request("source", "test", "getrandom");

        assertEquals(OK + "source=getrandom\tstart-up-tests=none, because the source has no health tests\n", result);
    }

    @Test
    void silentSourceIsTestedOnceAtATime() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        DaemonProcess daemon = start("--source=file:" + fifo, "--source=getrandom");
        Thread waiting = Thread.ofPlatform().daemon().start(() -> {
            try {
                request("source", "test", "file:" + fifo);
            } catch (IOException ended) {
                // The daemon was killed at the end of the test.
            }
        });

        assertEventually("the first test runs", () -> daemon.log().contains("control: source test"));

        String second = request("source", "test", "file:" + fifo);

        assertTrue(second.contains("its start-up tests are already running"), second);
        assertTrue(waiting.isAlive());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
        }
    }

    @Test
    void sourceThatDoesNotExistIsRefused() throws Exception {
        start();

        String unknown = request("source", "quarantine", "file:/dev/null");
        String command = request("source", "repair", "getrandom");

        assertEquals("error\tsource: no guest 'file:/dev/null'\n", unknown);
        assertTrue(command.contains("expected status, test, quarantine or release"), command);
    }

    @Test
    void guestThatWaitsForItsSourceMakesTheDaemonFail() throws Exception {
        DaemonProcess daemon = start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            request("source", "quarantine");
            offer(guest);

            assertEventually("the daemon has failed", () -> request("health").startsWith("ok\nstatus=failed\t"));
            PackagedProgram.Result result = PackagedProgram.run("ctl", "--control-socket=" + control(), "health");

            assertEquals(1, result.status());
            assertTrue(result.stdout().contains("guest socket: no bytes for more than 5 s"), result.stdout());
        }
    }
}
