package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the sources {@code drbg}, which has one generator per session, and {@code xor}. */
class DrbgSourceIT {
    private static final int MAX_REQUEST_BYTES = 65536;
    /** Number of bytes of a seed: a seed needs 384 bits of entropy, and each byte of the FIFO has 1/4 bit. */
    private static final int SEED_BYTES = 4 * 384;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** Asserts that half of the bits are ones, with a tolerance of six standard deviations. */
    private static void assertLooksRandom(byte[] bytes) {
        double bits = 8.0 * bytes.length;
        int ones = BitSet.valueOf(bytes).cardinality();
        assertTrue(Math.abs(ones - bits / 2) < 6 * Math.sqrt(bits) / 2, ones + " ones in " + bits + " bits");
    }

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 32));
    }

    private Path fifo() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "drbg",
                "drbg(file:/dev/urandom+getrandom),reseed-bytes=4096,reseed-seconds=1",
                "drbg,prediction-resistance",
                "xor(drbg,getrandom)"
            })
    void requestsOfAnyLengthAreServed(String source) throws Exception {
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int length : new int[] {1, 64, 4096, MAX_REQUEST_BYTES}) {
                byte[] bytes = guest.request(length, HANG_TIMEOUT);
                assertEquals(length, bytes.length);
                assertLooksRandom(bytes);
            }
        }
    }

    @Test
    void everySessionHasItsOwnGenerator() throws Exception {
        DaemonProcess daemon = daemons.start("--source=drbg");
        byte[] before;
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            before = guest.request(64, HANG_TIMEOUT);
        }

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertFalse(Arrays.equals(before, guest.request(64, HANG_TIMEOUT)));
        }
    }

    @Test
    void nothingIsServedBeforeTheGeneratorIsSeeded() throws Exception {
        Path fifo = fifo();
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.start("--source=drbg(file:" + fifo + ")");
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                byte[] noise = new byte[SEED_BYTES];
                new SecureRandom().nextBytes(noise);
                writer.write(noise, 0, noise.length - 1);
                offer(guest);
                boolean early = guest.awaitUsed(QUIET_PERIOD);

                writer.write(noise[0]);

                assertFalse(early);
                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            }
        }
    }

    @Test
    void silentSeedSourceIsAwaited() throws Exception {
        Path fifo = fifo();
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.start("--source=drbg(file:" + fifo + "+getrandom)");
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                offer(guest);
                assertEventually(
                        "the log names the source",
                        () -> daemon.log().contains("waits for a seed from [file:" + fifo + "]"));
                boolean early = guest.awaitUsed(QUIET_PERIOD);

                byte[] noise = new byte[SEED_BYTES];
                new SecureRandom().nextBytes(noise);
                writer.write(noise);

                assertFalse(early);
                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            }
        }
    }

    @Test
    void silentSeedSourceIsSkippedIfAnySuffices() throws Exception {
        Path fifo = fifo();
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.start("--source=drbg(file:" + fifo + "+getrandom),seed-from=any");
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                offer(guest);

                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
                assertEventually(
                        "the log names the source", () -> daemon.log().contains("without [file:" + fifo + "]"));
                writer.write(0);
            }
        }
    }
}
