package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;

/** What JDK Flight Recorder tells of a daemon, as the README says to start it. */
class FlightRecordingIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path recording() {
        return daemons.directory().resolve("rng.jfr");
    }

    private Process startRecorded(String... options) throws IOException {
        ProcessBuilder daemon = new ProcessBuilder(PackagedProgram.command(options))
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

    @Test
    void requestsWhatTheyWaitedForAndTheSessionAreRecorded() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        byte[] random = new byte[128];
        ThreadLocalRandom.current().nextBytes(random);
        Path socket = daemons.socketPath();
        Process daemon = startRecorded(
                "--socket-path=" + socket,
                "--source=file:" + fifo + ",health=off",
                "--limit-mode=window",
                "--max-bytes=64",
                "--period=200");
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            eventually("the daemon listens", () -> DaemonExtension.listens(socket));
            try (EntropyDriver guest = EntropyDriver.start(socket)) {
                guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
                guest.awaitUsed(EventualAssertions.A_WHILE);
                writer.write(random);
                assertTrue(guest.awaitUsed(PATIENCE));
                guest.ring().popUsed();
                assertEquals(64, guest.request(64, PATIENCE).length);
            }
        } finally {
            daemon.destroy();
            assertTrue(daemon.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }

        List<RecordedEvent> requests = recorded("Request");
        assertEquals(2, requests.size());
        assertEquals(64, requests.getFirst().getInt("bytes"));
        assertEquals("socket", requests.getFirst().getString("guest"));
        assertEquals(1, recorded("Starve").size());
        assertEquals(1, recorded("Throttle").size());
        assertEquals(1, recorded("Session").size());
    }
}
