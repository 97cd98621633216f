package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverVirtqueueConstants;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the requests of a well-behaved guest. */
class EntropyRequestIT {
    private static final int MAX_REQUEST_BYTES = 65536;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static int completedLength(EntropyDriver guest, int head) throws IOException {
        guest.makeAvailableAndKick(head);
        assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        assertTrue(guest.ring().popUsed());
        assertEquals(head, guest.ring().usedId());
        return guest.ring().usedLength();
    }

    private static void assertLooksRandom(byte[] bytes) {
        assertTrue(distinct(bytes) > bytes.length / 4, () -> Arrays.toString(bytes));
    }

    private static long distinct(byte[] bytes) {
        boolean[] seen = new boolean[256];
        long count = 0;
        for (byte value : bytes) {
            count += seen[value & 0xff] ? 0 : 1;
            seen[value & 0xff] = true;
        }
        return count;
    }

    private static DriverBufferElement[] scattered(int count, int length) {
        DriverBufferElement[] chain = new DriverBufferElement[count];
        for (int i = 0; i < count; i++) {
            chain[i] = DriverBufferElement.writable(BUFFER_ADDRESS + 8192L * i, length);
        }
        return chain;
    }

    @Test
    void documentedFeaturesAreOffered() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            long documented = VirtioFeatureBit.VERSION_1.mask()
                    | VirtioFeatureBit.INDIRECT_DESC.mask()
                    | VirtioFeatureBit.EVENT_IDX.mask()
                    | VirtioFeatureBit.PROTOCOL_FEATURES.mask();
            assertEquals(documented, guest.session().offeredFeatures() & documented);
            assertEquals(1, guest.session().getQueueNum());
        }
    }

    @Test
    void requestOf64BytesIsFilled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            byte[] bytes = guest.request(64, HANG_TIMEOUT);

            assertEquals(64, bytes.length);
            assertLooksRandom(bytes);
        }
    }

    @Test
    void twoRequestsGetDifferentBytes() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            byte[] first = guest.request(64, HANG_TIMEOUT);
            byte[] second = guest.request(64, HANG_TIMEOUT);

            assertFalse(Arrays.equals(first, second));
        }
    }

    @Test
    void requestOfOneByteIsFilled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(1, guest.request(1, HANG_TIMEOUT).length);
        }
    }

    @Test
    void bothDescriptorsOfAChainAreFilled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            int length = completedLength(guest, guest.ring().addBuffer(scattered(2, 32)));

            assertEquals(64, length);
            assertLooksRandom(guest.bytes(BUFFER_ADDRESS, 32));
            assertLooksRandom(guest.bytes(BUFFER_ADDRESS + 8192, 32));
        }
    }

    @Test
    void chainAsLongAsTheQueueIsFilled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(), Options.DEFAULT.withQueueSize(32))) {
            int length = completedLength(guest, guest.ring().addBuffer(scattered(32, 32)));

            assertEquals(32 * 32, length);
            assertLooksRandom(guest.bytes(BUFFER_ADDRESS + 8192 * 31, 32));
        }
    }

    @Test
    void nothingOutsideTheBufferIsWritten() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            completedLength(guest, guest.ring().addWritableBuffer(BUFFER_ADDRESS + 64, 64));

            assertTrue(Arrays.equals(new byte[64], guest.bytes(BUFFER_ADDRESS, 64)));
            assertTrue(Arrays.equals(new byte[64], guest.bytes(BUFFER_ADDRESS + 128, 64)));
        }
    }

    @Test
    void indirectChainIsFilled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            long tableAddress = BUFFER_ADDRESS + 4096;
            MemorySegment table = guest.memory().at(tableAddress, 3L * DriverVirtqueueConstants.VIRTQ_DESC_SIZE);

            int length = completedLength(guest, guest.ring().addIndirectBuffer(table, tableAddress, scattered(3, 32)));

            assertEquals(96, length);
            assertLooksRandom(guest.bytes(BUFFER_ADDRESS + 2 * 8192, 32));
        }
    }

    @Test
    void requestOfMoreThan64KibIsCompletedPartially() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            int length = completedLength(guest, guest.ring().addWritableBuffer(BUFFER_ADDRESS, 2 * MAX_REQUEST_BYTES));

            assertTrue(length > 0 && length <= MAX_REQUEST_BYTES, "length " + length);
        }
    }

    @Test
    void requestsInFlightTogetherAreAllCompleted() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            int[] heads = new int[16];
            for (int i = 0; i < heads.length; i++) {
                heads[i] = guest.ring().addWritableBuffer(BUFFER_ADDRESS + 64L * i, 64);
            }
            guest.ring().makeAvailable(heads);
            guest.kickIfNeeded();

            for (int i = 0; i < heads.length; i++) {
                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
                assertTrue(guest.ring().popUsed());
                assertEquals(64, guest.ring().usedLength());
            }
        }
    }

    @Test
    void indicesWrapAfter65536Requests() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.ring().reset(65530);
            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 65530);

            for (int i = 0; i < 12; i++) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @Test
    void requestAvailableBeforeTheRingStartsNeedsNoKick() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void frontEndThatNegotiatesNoProtocolFeatureIsServed() throws Exception {
        DaemonProcess daemon = daemons.start();
        Options plain = Options.DEFAULT.withProtocolFeatures(0);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(), plain)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void queueOf1024DescriptorsIsServed() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(), Options.DEFAULT.withQueueSize(1024))) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
