package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests the daemon's JDK Flight Recorder events, which are recorded as CONTRIBUTING describes. */
class FlightRecordingIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path recording() {
        return daemons.directory().resolve("rng.jfr");
    }

    private Process startRecording(String... options) throws IOException {
        ProcessBuilder daemon = new ProcessBuilder(PackagedProgram.commandLine(options))
                .redirectErrorStream(true)
                .redirectOutput(daemons.directory().resolve("log").toFile());
        daemon.environment()
                .put("VHOST_USER_RNG_JAVA_OPTS", "-XX:AOTMode=off -XX:StartFlightRecording=filename=" + recording());
        return daemon.start();
    }

    private List<RecordedEvent> recorded(String name) throws IOException {
        return RecordingFile.readAllEvents(recording()).stream()
                .filter(event -> event.getEventType().getName().equals("org.vhostuserrng." + name))
                .toList();
    }

    /**
     * Waits until the daemon has handled the guest's kick and found no bytes. Not the event loop but the read-ahead
     * thread reads the FIFO.
     */
    private static void awaitStarved(Process daemon, Path fifo, EntropyDriver guest) throws IOException {
        assertEventually("the source is open", () -> hasOpen(daemon, fifo));
        // The event loop serves at most 16 messages of a session at a time, and then handles the kick.
        for (int i = 0; i <= 16; i++) {
            guest.session().getFeatures();
        }
    }

    private static boolean hasOpen(Process daemon, Path file) throws IOException {
        try (Stream<Path> fds = Files.list(Path.of("/proc", Long.toString(daemon.pid()), "fd"))) {
            return fds.anyMatch(fd -> isLinkTo(file, fd));
        }
    }

    private static boolean isLinkTo(Path file, Path fd) {
        try {
            return Files.readSymbolicLink(fd).equals(file);
        } catch (IOException closed) {
            return false;
        }
    }

    @Test
    void requestsTheirWaitsAndTheSessionAreRecorded() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        byte[] random = new byte[128];
        ThreadLocalRandom.current().nextBytes(random);
        Path socket = daemons.socketPath();
        Instant firstSessionEnded;
        Process daemon = startRecording(
                "--socket-path=" + socket,
                "--source=file:" + fifo + ",health=off",
                "--limit-mode=window",
                "--max-bytes=64",
                "--period=5000");
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            assertEventually("the daemon listens", () -> DaemonExtension.isListening(socket));
            try (EntropyDriver guest = EntropyDriver.start(socket)) {
                guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
                awaitStarved(daemon, fifo, guest);
                writer.write(random);
                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
                guest.ring().popUsed();
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
            // The daemon serves another front-end on this socket only when the first session has ended.
            try (EntropyDriver next = EntropyDriver.start(socket)) {
                next.session().getFeatures();
                firstSessionEnded = Instant.now();
            }
        } finally {
            daemon.destroy();
            assertTrue(daemon.waitFor(HANG_TIMEOUT.toSeconds(), TimeUnit.SECONDS));
        }

        List<RecordedEvent> requests = recorded("RngRequest");
        assertEquals(2, requests.size());
        assertEquals(64, requests.getFirst().getInt("bytes"));
        assertEquals("socket", requests.getFirst().getString("guest"));
        assertEquals(1, recorded("RngStarved").size());
        assertEquals(1, recorded("RngThrottled").size());
        assertEquals(
                1,
                recorded("VhostUserSession").stream()
                        .filter(session -> session.getEndTime().isBefore(firstSessionEnded))
                        .count());
    }
}
