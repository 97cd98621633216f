package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertAnsweredPromptly;

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

/** A source that delivers when it likes: a FIFO that the test holds the other end of. */
class FifoSourceIT {
    /** Bytes whose value is their position: each of the 256 values comes once. */
    private static final int TAGGED_BYTES = 256;

    private static final Duration SHORTLY = Duration.ofMillis(20);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path fifo;
    private RandomAccessFile writer;

    @BeforeEach
    void makeFifo() throws Exception {
        fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        // For reading too: only so does opening a FIFO not wait for the other side.
        writer = new RandomAccessFile(fifo.toFile(), "rw");
    }

    @AfterEach
    void closeWriter() throws IOException {
        writer.close();
    }

    private String source() {
        // Its few bytes are less than the start-up tests of a source take.
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

    /** Appends what the request in flight got and makes the next; false when it got nothing within the time. */
    private static boolean collect(EntropyDriver guest, ByteArrayOutputStream bytes, Duration time) throws IOException {
        if (!guest.awaitUsed(time) || !guest.ring().popUsed()) {
            return false;
        }
        bytes.write(guest.bytes(BUFFER_ADDRESS, guest.ring().usedLength()));
        offer(guest);
        return true;
    }

    @Test
    void requestWaitsWhileTheSourceIsDry() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);

            assertFalse(guest.awaitUsed(A_WHILE));
        }
    }

    @Test
    void messagesAreAnsweredPromptlyWhileTheSourceIsDry() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(A_WHILE));

            assertAnsweredPromptly(guest.session());
        }
    }

    @Test
    void waitingRequestIsServedWhenBytesArrive() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(A_WHILE));

            writer.write(tagged());

            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void bytesOfTheSourceArriveInOrderAndOnce() throws Exception {
        DaemonProcess daemon = daemons.start(source());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            writer.write(tagged());

            while (bytes.size() < TAGGED_BYTES && collect(guest, bytes, PATIENCE)) {
                assertTrue(daemon.isAlive());
            }
        }

        assertArrayEquals(tagged(), bytes.toByteArray());
    }

    @Test
    void noByteGoesToTwoGuests() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2, source());
        ByteArrayOutputStream first = new ByteArrayOutputStream();
        ByteArrayOutputStream second = new ByteArrayOutputStream();

        try (EntropyDriver one = EntropyDriver.start(daemon.socket(0));
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            offer(one);
            offer(other);
            writer.write(tagged());
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (first.size() + second.size() < TAGGED_BYTES && System.nanoTime() - deadline < 0) {
                collect(one, first, SHORTLY);
                collect(other, second, SHORTLY);
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
    void sigtermEndsTheDaemonWhileItsSourceIsDry() throws Exception {
        DaemonProcess daemon = daemons.start(source());
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(A_WHILE));

            daemon.terminate();

            assertEquals(0, daemon.awaitExit(Duration.ofSeconds(1)));
        }
    }

    @Test
    void ringStopsWhileItsSourceIsDry() throws Exception {
        DaemonProcess daemon = daemons.start(source());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            offer(guest);
            assertFalse(guest.awaitUsed(A_WHILE));

            assertEquals(0, guest.session().stop());
        }
    }
}
