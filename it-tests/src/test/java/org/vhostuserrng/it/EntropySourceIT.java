package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;

/** Where a running daemon gets its bytes from, and what it does when that goes wrong. */
class EntropySourceIT {
    private static final int STARTUP_SAMPLES = 1024;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    /** For reading too: only so does opening a FIFO not wait for the other side. */
    private static RandomAccessFile writer(Path fifo) throws IOException {
        return new RandomAccessFile(fifo.toFile(), "rw");
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void kernelIsAskedWithoutAFileUnlessASourceIsNamed() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
            assertTrue(daemon.fds().stream().noneMatch(file -> file.contains("random")), daemon.fds()::toString);
        }
    }

    @Test
    void onlyTheNamedFileIsOpenForASourceThatIsTested() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(random(5, STARTUP_SAMPLES));
            guest.request(64, PATIENCE);

            assertTrue(daemon.fds().contains(fifo.toString()), daemon.fds()::toString);
            assertTrue(daemon.fds().stream().noneMatch(file -> file.contains("random")), daemon.fds()::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rdrand", "rdrand,reseed=forced", "rdseed"})
    void processorsInstructionsServeAGuest(String source) throws Exception {
        String instruction = source.substring(0, 6);
        assumeTrue(
                Files.readString(Path.of("/proc/cpuinfo")).contains(" " + instruction + " "),
                "this processor has no " + instruction);
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void nothingIsServedBeforeTheStartUpTestsArePassed() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        byte[] bytes = random(1, STARTUP_SAMPLES);

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            writer.write(bytes, 0, STARTUP_SAMPLES - 1);
            boolean early = guest.awaitUsed(A_WHILE);

            writer.write(bytes, STARTUP_SAMPLES - 1, 1);

            assertFalse(early);
            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void nextSourceServesWhileTheFirstIsStuckAndTheFirstAgainOnceItIsNot() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(new byte[2 * STARTUP_SAMPLES]);
            assertEquals(64, guest.request(64, PATIENCE).length);
            assertTrue(daemon.log().contains("repetition count test"), daemon.log());
            assertTrue(daemon.log().contains("getrandom serves now"), daemon.log());

            writer.write(random(2, 4 * STARTUP_SAMPLES));

            eventually("the first source serves again", () -> {
                guest.request(64, PATIENCE);
                return daemon.log().contains("file:" + fifo + " serves now");
            });
        }
    }

    @Test
    void nextSourceServesWhenTheFirstKeepsAGuestWaiting() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
            assertTrue(daemon.log().contains("getrandom serves now"), daemon.log());
        }
    }

    @Test
    void guestGoesOnWithTheNextWriterWhenThatOfAFifoIsKilled() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        Process writer = shell("exec >" + fifo + "; head -c " + STARTUP_SAMPLES + " /dev/urandom; exec sleep 100");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int got = 0; got < STARTUP_SAMPLES; ) {
                got += guest.request(64, PATIENCE).length;
            }
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            writer.destroyForcibly().onExit().join();
            boolean withoutAWriter = guest.awaitUsed(A_WHILE);

            Process next = shell("exec head -c 64 /dev/urandom >" + fifo);

            assertFalse(withoutAWriter);
            assertTrue(guest.awaitUsed(PATIENCE), "the next writer is not read");
            assertEquals(0, next.onExit().join().exitValue());
        } finally {
            writer.destroyForcibly();
        }
    }

    private static Process shell(String script) throws IOException {
        return new ProcessBuilder("sh", "-c", script).start();
    }

    @Test
    void whatWentWrongWithASourceIsToldAtTheEnd() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");
        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(new byte[STARTUP_SAMPLES]);
            guest.request(64, PATIENCE);
        }

        daemon.terminate();

        assertEquals(0, daemon.awaitExit(PATIENCE));
        assertTrue(daemon.log().contains("its health tests 1 times"), daemon.log());
        assertTrue(daemon.log().contains("1 times another source served"), daemon.log());
    }

    /** As a server does that gives each client the same. */
    @Test
    void nothingIsServedOfASourceThatGivesTheNextGuestWhatItGaveTheLast() throws Exception {
        Path fifo = fifo();
        byte[] replayed = random(4, 4 * STARTUP_SAMPLES);
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(replayed);
            guest.request(64, PATIENCE);
        }
        eventually("the source is closed", () -> !daemon.fds().contains(fifo.toString()));

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(replayed);
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(guest.awaitUsed(A_WHILE));
            assertTrue(daemon.log().contains("repeated sequence test"), daemon.log());
        }
    }

    @Test
    void fileIsServedOnceToItsEndAndThenNoMore() throws Exception {
        byte[] content = random(3, 2000);
        Path file = Files.write(daemons.directory().resolve("file"), content);
        DaemonProcess daemon = daemons.start("--source=file:" + file);
        ByteArrayOutputStream got = new ByteArrayOutputStream();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            while (got.size() < content.length) {
                got.writeBytes(guest.request(Math.min(250, content.length - got.size()), PATIENCE));
            }
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(guest.awaitUsed(A_WHILE));
            assertArrayEquals(content, got.toByteArray());
            assertTrue(daemon.log().contains("end of file"), daemon.log());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "file:/dev/null,on-eof=rewind | stop",
                "file:/dev/null,min-entropy=9 | 0.02 to 8",
                "file:/dev/null,health=maybe | on or off",
                "qng:/nonexistent.so | no library",
                "rdrand,reseed=often | forced",
                "nonsense | file:PATH"
            })
    void badSourceIsOneLineThatNamesOptionValueAndWhatIsAllowed(String source, String allowed) throws Exception {
        PackagedProgram.Outcome outcome =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--source=" + source);

        assertEquals(2, outcome.status(), outcome::err);
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains("--source"), outcome::err);
        assertTrue(outcome.err().contains(source), outcome::err);
        assertTrue(outcome.err().contains(allowed), outcome::err);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"getrandom", "file:PATH", "rdrand", "rdseed", "egd:tcp:", "egd:unix:", "qng", "drbg", "xor(A,B)"
            })
    void helpHasALineForEachSource(String source) throws Exception {
        PackagedProgram.Outcome outcome = PackagedProgram.run("--help");

        assertTrue(outcome.out().lines().anyMatch(line -> line.strip().startsWith(source)), outcome::out);
    }
}
