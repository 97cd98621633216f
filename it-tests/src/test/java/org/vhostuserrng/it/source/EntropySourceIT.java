package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the entropy sources of a running daemon, their health tests, and the switch to a fallback source. */
class EntropySourceIT {
    private static final int STARTUP_SAMPLES = 1024;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    /** Opens a FIFO for reading and writing, because opening it only for writing would block until it has a reader. */
    private static RandomAccessFile writer(Path fifo) throws IOException {
        return new RandomAccessFile(fifo.toFile(), "rw");
    }

    private static void awaitLog(DaemonProcess daemon, String text) {
        assertEventually("the log contains: " + text, () -> daemon.log().contains(text));
    }

    private static long openings(DaemonProcess daemon, Path file) throws IOException {
        return daemon.openFdTargets().stream().filter(file.toString()::equals).count();
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void defaultSourceOpensNoFile() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertTrue(
                    daemon.openFdTargets().stream().noneMatch(file -> file.contains("random")),
                    daemon.openFdTargets()::toString);
        }
    }

    @Test
    void fileSourceOpensNoOtherFile() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(random(5, STARTUP_SAMPLES));
            guest.request(64, HANG_TIMEOUT);

            assertTrue(daemon.openFdTargets().contains(fifo.toString()), daemon.openFdTargets()::toString);
            assertTrue(
                    daemon.openFdTargets().stream().noneMatch(file -> file.contains("random")),
                    daemon.openFdTargets()::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"getrandom", "getrandom,via=syscall"})
    void everyPathOfGetrandomServesSmallAndLargeRequests(String source) throws Exception {
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(1, guest.request(1, HANG_TIMEOUT).length);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEquals(4000, guest.request(4000, HANG_TIMEOUT).length);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rdrand", "rdrand,reseed=forced", "rdseed"})
    void cpuInstructionsServeAGuest(String source) throws Exception {
        String instruction = source.substring(0, 6);
        assumeTrue(
                Files.readString(Path.of("/proc/cpuinfo")).contains(" " + instruction + " "),
                "this processor has no " + instruction);
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void nothingIsServedBeforeTheStartUpTestsPass() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        byte[] bytes = random(1, STARTUP_SAMPLES);

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            writer.write(bytes, 0, STARTUP_SAMPLES - 1);
            boolean early = guest.awaitUsed(QUIET_PERIOD);

            writer.write(bytes, STARTUP_SAMPLES - 1, 1);

            assertFalse(early);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void fallbackServesWhileTheFirstSourceFailsItsHealthTests() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(new byte[2 * STARTUP_SAMPLES]);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            awaitLog(daemon, "repetition count test");
            awaitLog(daemon, "getrandom serves now");

            writer.write(random(2, 4 * STARTUP_SAMPLES));

            assertEventually("the first source serves again", () -> {
                guest.request(64, HANG_TIMEOUT);
                return daemon.log().contains("file:" + fifo + " serves now");
            });
        }
    }

    @Test
    void fallbackServesWhileTheFirstSourceIsStarved() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            awaitLog(daemon, "getrandom serves now");
        }
    }

    @Test
    void fifoIsReadAgainWhenAnotherWriterOpensIt() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        Process writer = shell("exec >" + fifo + "; head -c " + STARTUP_SAMPLES + " /dev/urandom; exec sleep 100");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int got = 0; got < STARTUP_SAMPLES; ) {
                got += guest.request(64, HANG_TIMEOUT).length;
            }
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            writer.destroyForcibly().onExit().join();
            boolean withoutAWriter = guest.awaitUsed(QUIET_PERIOD);

            Process next = shell("exec head -c 64 /dev/urandom >" + fifo);

            assertFalse(withoutAWriter);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT), "the bytes of the next writer are not read");
            assertEquals(0, next.onExit().join().exitValue());
        } finally {
            writer.destroyForcibly();
        }
    }

    private static Process shell(String script) throws IOException {
        return new ProcessBuilder("sh", "-c", script).start();
    }

    @Test
    void writerOfAFifoSurvivesTheStartOfTheDaemonAndTheRebootOfAGuest() throws Exception {
        Path fifo = fifo();
        Process writer = shell("exec cat /dev/urandom >" + fifo);
        try {
            DaemonProcess daemon = daemons.start("--source=file:" + fifo);
            for (int boot = 0; boot < 3; boot++) {
                try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                    assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
                }
                assertEventually("only the FIFO's idle read end is open", () -> openings(daemon, fifo) == 1);
            }

            assertFalse(writer.waitFor(QUIET_PERIOD.toMillis(), TimeUnit.MILLISECONDS), "the writer was killed");
        } finally {
            writer.destroyForcibly();
        }
    }

    @Test
    void failuresOfASourceAreLoggedAtExit() throws Exception {
        Path fifo = fifo();
        DaemonProcess daemon = daemons.start("--source=file:" + fifo, "--source=getrandom");
        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(new byte[STARTUP_SAMPLES]);
            guest.request(64, HANG_TIMEOUT);
        }

        daemon.terminate();

        assertEquals(0, daemon.awaitExit());
        assertTrue(daemon.log().contains("health test failures: 1"), daemon.log());
        assertTrue(daemon.log().contains("failovers: 1"), daemon.log());
    }

    /** Simulates a source such as an entropy server that sends the same bytes to every client. */
    @Test
    void bytesRepeatedFromAnEarlierSessionAreNotServed() throws Exception {
        Path fifo = fifo();
        byte[] replayed = random(4, 4 * STARTUP_SAMPLES);
        DaemonProcess daemon = daemons.start("--source=file:" + fifo);
        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(replayed);
            guest.request(64, HANG_TIMEOUT);
        }
        assertEventually("only the FIFO's idle read end is open", () -> openings(daemon, fifo) == 1);

        try (RandomAccessFile writer = writer(fifo);
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            writer.write(replayed);
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
            awaitLog(daemon, "repeated sequence test");
        }
    }

    @Test
    void fileIsServedOnceAndNothingAfterItsEnd() throws Exception {
        byte[] content = random(3, 2000);
        Path file = Files.write(daemons.directory().resolve("file"), content);
        DaemonProcess daemon = daemons.start("--source=file:" + file);
        ByteArrayOutputStream got = new ByteArrayOutputStream();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            while (got.size() < content.length) {
                got.writeBytes(guest.request(Math.min(250, content.length - got.size()), HANG_TIMEOUT));
            }
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
            assertArrayEquals(content, got.toByteArray());
            awaitLog(daemon, "end of file");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {29, STARTUP_SAMPLES - 1})
    void nothingIsServedOfAFileTooShortForTheStartUpTests(int length) throws Exception {
        Path file = Files.write(daemons.directory().resolve("file"), random(6, length));
        DaemonProcess daemon = daemons.start("--source=file:" + file);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 16));

            awaitLog(daemon, "too short for the start-up tests, its " + length + " bytes are not served");
            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void fileThatReplacesAnEndedOneIsServedFromItsBeginning() throws Exception {
        Path file = Files.write(daemons.directory().resolve("file"), random(7, 29));
        Path successor = Files.write(daemons.directory().resolve("successor"), random(8, 2000));
        DaemonProcess daemon = daemons.start("--source=file:" + file);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            awaitLog(daemon, "too short");

            Files.move(successor, file, StandardCopyOption.REPLACE_EXISTING);

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            assertTrue(guest.ring().popUsed());
            assertArrayEquals(Arrays.copyOf(random(8, 2000), 64), guest.bytes(EntropyDriver.BUFFER_ADDRESS, 64));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "file:/dev/null,on-eof=rewind | stop",
                "file:/dev/null,min-entropy=9 | 0.02 to 8",
                "file:/dev/null,health=maybe | on or off",
                "qng:/nonexistent.so | a source that this machine can read",
                "rdrand,reseed=often | forced",
                "getrandom,via=int80 | vdso or syscall",
                "nonsense | file:PATH"
            })
    void badSourceIsReportedInOneLineWithOptionValueAndWhatIsAllowed(String source, String allowed) throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--source=" + source);

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("--source"), result::stderr);
        assertTrue(result.stderr().contains(source), result::stderr);
        assertTrue(result.stderr().contains(allowed), result::stderr);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "getrandom",
                "file:PATH",
                "rdrand",
                "rdseed",
                "egd:tcp:",
                "egd:unix:",
                "qng",
                "command:",
                "drbg",
                "xor(A,B)"
            })
    void helpListsEachSource(String source) throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("--help");

        assertTrue(result.stdout().lines().anyMatch(line -> line.strip().startsWith(source)), result::stdout);
    }
}
