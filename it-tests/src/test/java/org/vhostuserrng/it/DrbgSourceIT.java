package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

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

/** Generators in the daemon, one for each guest, and sources that are joined. */
class DrbgSourceIT {
    private static final int LONGEST_REQUEST = 65536;
    /** A FIFO's bytes are taken to hold a quarter of a bit each; 384 bits are needed. */
    private static final int BYTES_OF_A_SEED = 4 * 384;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** Half of the bits are ones, give or take six standard deviations. */
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
    void servesRequestsOfAnyLength(String source) throws Exception {
        DaemonProcess daemon = daemons.start("--source=" + source);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int length : new int[] {1, 64, 4096, LONGEST_REQUEST}) {
                byte[] bytes = guest.request(length, PATIENCE);
                assertEquals(length, bytes.length);
                assertLooksRandom(bytes);
            }
        }
    }

    @Test
    void startsAnewWithEachSession() throws Exception {
        DaemonProcess daemon = daemons.start("--source=drbg");
        byte[] before;
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            before = guest.request(64, PATIENCE);
        }

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertFalse(Arrays.equals(before, guest.request(64, PATIENCE)));
        }
    }

    @Test
    void servesNothingBeforeItHasEnoughEntropy() throws Exception {
        Path fifo = fifo();
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.start("--source=drbg(file:" + fifo + ")");
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                byte[] noise = new byte[BYTES_OF_A_SEED];
                new SecureRandom().nextBytes(noise);
                writer.write(noise, 0, noise.length - 1);
                offer(guest);
                boolean early = guest.awaitUsed(A_WHILE);

                writer.write(noise[0]);

                assertFalse(early);
                assertTrue(guest.awaitUsed(PATIENCE));
            }
        }
    }

    @Test
    void doesWithoutASourceThatStaysSilent() throws Exception {
        Path fifo = fifo();
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.start("--source=drbg(file:" + fifo + "+getrandom)");
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                offer(guest);

                assertTrue(guest.awaitUsed(PATIENCE));
                assertTrue(daemon.log().contains("without [file:" + fifo + "]"), daemon.log());
                writer.write(0);
            }
        }
    }
}
