package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertRepliesDuring;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests with a source whose bytes the test determines: a FIFO to which the test writes. */
class FifoSourceIT {
    /** Number of bytes. The value of each byte is its position, so that each of the 256 values occurs once. */
    private static final int TAGGED_BYTES = 256;

    private static final Duration POLL_TIMEOUT = Duration.ofMillis(20);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path fifo;
    private RandomAccessFile writer;

    @BeforeEach
    void makeFifo() throws Exception {
        fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        // Open the FIFO for reading and writing: opening it only for writing would block until it has a reader.
        writer = new RandomAccessFile(fifo.toFile(), "rw");
    }

    @AfterEach
    void closeWriter() throws IOException {
        writer.close();
    }

    private String source() {
        // The start-up health tests would consume more bytes than the test writes.
        return "--source=file:" + fifo + ",health=off";
    }

    private static byte[] tagged() {
        byte[] bytes = new byte[TAGGED_BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 32));
    }

    /**
     * Appends the bytes of the next completed request and makes another request available. Returns false if no request
     * completes within the time.
     */
    private static boolean collect(EntropyDriver guest, ByteArrayOutputStream bytes, Duration time) throws IOException {
        if (!guest.awaitUsed(time) || !guest.ring().popUsed()) {
            return false;
        }
        bytes.write(guest.bytes(BUFFER_ADDRESS, guest.ring().usedLength()));
        offer(guest);
        return true;
    }

    @Test
    void requestWaitsWhileTheSourceIsStarved() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void silenceAndItsEndAreLogged() throws Exception {
        DaemonProcess daemon = daemons.start("--source=xor(getrandom,file:" + fifo + ",health=off)");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertEventually(
                    "the log names the silent side",
                    () -> daemon.log().contains("file:" + fifo + ": no bytes for 5 s"));

            writer.write(tagged());

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            assertTrue(daemon.log().contains("file:" + fifo + ": has bytes again"), daemon.log());
        }
    }

    @Test
    void messagesAreAnsweredWhileTheSourceIsStarved() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));

            assertRepliesDuring("starvation", () -> !guest.ring().hasUsed(), guest.session());
        }
    }

    @Test
    void waitingRequestIsServedWhenBytesArrive() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));

            writer.write(tagged());

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void bytesOfTheSourceAreServedOnceAndInOrder() throws Exception {
        DaemonProcess daemon = daemons.start(source());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            writer.write(tagged());

            while (bytes.size() < TAGGED_BYTES && collect(guest, bytes, HANG_TIMEOUT)) {
                assertTrue(daemon.isAlive());
            }
        }

        assertArrayEquals(tagged(), bytes.toByteArray());
    }

    @Test
    void noByteIsServedToTwoGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2, source());
        ByteArrayOutputStream first = new ByteArrayOutputStream();
        ByteArrayOutputStream second = new ByteArrayOutputStream();

        try (EntropyDriver one = EntropyDriver.start(daemon.socket(0));
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            offer(one);
            offer(other);
            writer.write(tagged());
            long deadline = System.nanoTime() + HANG_TIMEOUT.toNanos();
            while (first.size() + second.size() < TAGGED_BYTES && System.nanoTime() - deadline < 0) {
                collect(one, first, POLL_TIMEOUT);
                collect(other, second, POLL_TIMEOUT);
            }
        }

        assertAscending(first.toByteArray());
        assertAscending(second.toByteArray());
        first.write(second.toByteArray());
        assertArrayEquals(tagged(), sortedUnsigned(first.toByteArray()));
    }

    private static void assertAscending(byte[] bytes) {
        assertArrayEquals(sortedUnsigned(bytes), bytes);
    }

    private static byte[] sortedUnsigned(byte[] bytes) {
        int[] values = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i] & 0xff;
        }
        Arrays.sort(values);
        byte[] sorted = new byte[values.length];
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = (byte) values[i];
        }
        return sorted;
    }

    @Test
    void sigtermExitsWhileTheSourceIsStarved() throws Exception {
        DaemonProcess daemon = daemons.start(source());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));

            daemon.terminate();

            assertEquals(0, daemon.awaitExit());
        }
    }

    @Test
    void ringStopsWhileTheSourceIsStarved() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));

            assertEquals(0, guest.session().stop());
        }
    }
}
