package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests guests whose requestq violates VIRTIO 1.3 §2.7: the daemon must mark the ring broken, must not write to the
 * guest's memory, must signal the err eventfd, and must continue to serve other guests.
 */
class HostileSplitRingIT {
    private static final int QUEUE_SIZE = 16;
    private static final long OUTSIDE = 0x9000_0000L;
    private static final long TABLE = BUFFER_ADDRESS + 0x8000;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** Writes hostile descriptors. Returns the index of the head descriptor to make available. */
    @FunctionalInterface
    private interface DescriptorAttack {
        int writeDescriptors(EntropyDriver guest) throws IOException;
    }

    private static EntropyDriver hostileGuest(DaemonProcess daemon) throws IOException {
        return EntropyDriver.start(daemon.socket(0), Options.DEFAULT.withQueueSize(QUEUE_SIZE));
    }

    private static void attack(EntropyDriver guest, DescriptorAttack attack) throws IOException {
        int head = attack.writeDescriptors(guest);
        guest.ring().makeAvailable(head);
        guest.requestq().kick().signal();
    }

    private void assertOnlyRingBreaks(DescriptorAttack attack) throws IOException {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = hostileGuest(daemon)) {
            guest.request(64, HANG_TIMEOUT);
            int head = attack.writeDescriptors(guest);
            byte[] before = bufferBytes(guest);

            guest.ring().makeAvailable(head);
            guest.requestq().kick().signal();

            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertFalse(guest.ring().hasUsed(), "the device used the buffer");
            assertArrayEquals(before, bufferBytes(guest), "guest memory was written");
            assertTrue(daemon.isAlive());
            assertServed(neighbour);
        }
    }

    private static byte[] bufferBytes(EntropyDriver guest) {
        return guest.bytes(BUFFER_ADDRESS, guest.bufferRegion().size());
    }

    private static int writable(EntropyDriver guest, long address, int length) {
        return raw(guest, address, length, VIRTQ_DESC_F_WRITE, 0);
    }

    private static int raw(EntropyDriver guest, long address, int length, int flags, int next) {
        guest.ring().setDescriptor(0, address, length, flags, next);
        return 0;
    }

    private static MemorySegment table(EntropyDriver guest) {
        return guest.memory().at(TABLE, 64);
    }

    @Test
    void chainThatLoops() throws Exception {
        assertOnlyRingBreaks(guest -> {
            guest.ring().setDescriptor(1, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 0);
            return raw(guest, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
        });
    }

    @Test
    void descriptorThatIsItsOwnNext() throws Exception {
        assertOnlyRingBreaks(guest -> raw(guest, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 0));
    }

    @Test
    void nextOutsideTheTable() throws Exception {
        assertOnlyRingBreaks(
                guest -> raw(guest, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, QUEUE_SIZE));
    }

    @Test
    void headOutsideTheTable() throws Exception {
        assertOnlyRingBreaks(guest -> QUEUE_SIZE);
    }

    @Test
    void addressOutsideGuestMemory() throws Exception {
        assertOnlyRingBreaks(guest -> writable(guest, OUTSIDE, 64));
    }

    @Test
    void bufferThatEndsOutsideGuestMemory() throws Exception {
        assertOnlyRingBreaks(
                guest -> writable(guest, BUFFER_ADDRESS + guest.bufferRegion().size() - 32, 64));
    }

    @Test
    void secondDescriptorOutsideGuestMemory() throws Exception {
        assertOnlyRingBreaks(guest -> {
            guest.ring().setDescriptor(1, OUTSIDE, 64, VIRTQ_DESC_F_WRITE, 0);
            return raw(guest, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
        });
    }

    @Test
    void addressPlusLengthOverflows() throws Exception {
        assertOnlyRingBreaks(guest -> writable(guest, -64L, 128));
    }

    @Test
    void lengthOf4Gib() throws Exception {
        assertOnlyRingBreaks(guest -> writable(guest, BUFFER_ADDRESS, -1));
    }

    @Test
    void readableDescriptor() throws Exception {
        assertOnlyRingBreaks(guest -> raw(guest, BUFFER_ADDRESS, 64, 0, 0));
    }

    @Test
    void chainOfEmptyBuffers() throws Exception {
        assertOnlyRingBreaks(guest -> {
            guest.ring().setDescriptor(1, BUFFER_ADDRESS, 0, VIRTQ_DESC_F_WRITE, 0);
            return raw(guest, BUFFER_ADDRESS, 0, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
        });
    }

    @Test
    void indirectTableInsideAnIndirectTable() throws Exception {
        assertOnlyRingBreaks(guest -> {
            DriverSplitRing.writeDescriptor(table(guest), 0, TABLE + 16, 16, VIRTQ_DESC_F_INDIRECT, 0);
            DriverSplitRing.writeDescriptor(table(guest), 1, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE, 0);
            return raw(guest, TABLE, 16, VIRTQ_DESC_F_INDIRECT, 0);
        });
    }

    @Test
    void indirectTableLengthNotAMultipleOf16() throws Exception {
        assertOnlyRingBreaks(guest -> {
            DriverSplitRing.writeDescriptor(table(guest), 0, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE, 0);
            return raw(guest, TABLE, 24, VIRTQ_DESC_F_INDIRECT, 0);
        });
    }

    @Test
    void emptyIndirectTable() throws Exception {
        assertOnlyRingBreaks(guest -> raw(guest, TABLE, 0, VIRTQ_DESC_F_INDIRECT, 0));
    }

    @Test
    void indirectTableOutsideGuestMemory() throws Exception {
        assertOnlyRingBreaks(guest -> raw(guest, OUTSIDE, 16, VIRTQ_DESC_F_INDIRECT, 0));
    }

    @Test
    void indirectTableThatLoops() throws Exception {
        assertOnlyRingBreaks(guest -> {
            int flags = VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT;
            DriverSplitRing.writeDescriptor(table(guest), 0, BUFFER_ADDRESS, 64, flags, 1);
            DriverSplitRing.writeDescriptor(table(guest), 1, BUFFER_ADDRESS, 64, flags, 0);
            return raw(guest, TABLE, 32, VIRTQ_DESC_F_INDIRECT, 0);
        });
    }

    @Test
    void indirectDescriptorWithNext() throws Exception {
        assertOnlyRingBreaks(guest -> {
            DriverSplitRing.writeDescriptor(table(guest), 0, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE, 0);
            guest.ring().setDescriptor(1, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE, 0);
            return raw(guest, TABLE, 16, VIRTQ_DESC_F_INDIRECT | VIRTQ_DESC_F_NEXT, 1);
        });
    }

    @Test
    void availableIndexJumpsByMoreThanTheQueueSize() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = hostileGuest(daemon)) {
            guest.request(64, HANG_TIMEOUT);
            guest.ring().setAvailIdx(guest.ring().availIdx() + QUEUE_SIZE + 1);
            guest.requestq().kick().signal();

            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertFalse(guest.ring().hasUsed(), "the device used a buffer");
            assertServed(neighbour);
        }
    }

    @Test
    void brokenRingServesNothing() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = hostileGuest(daemon)) {
            attack(guest, hostile -> writable(hostile, OUTSIDE, 64));
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0);

            guest.ring().setDescriptor(1, BUFFER_ADDRESS, 64, VIRTQ_DESC_F_WRITE, 0);
            guest.ring().makeAvailable(1);
            guest.requestq().kick().signal();

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void brokenRingWorksAgainAfterGetVringBase() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = hostileGuest(daemon)) {
            attack(guest, hostile -> writable(hostile, OUTSIDE, 64));
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0);

            guest.session().stop();
            guest.ring().reset(0);
            guest.session().startRing(guest.requestq(), guest.memory(), 0);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void brokenRingWorksAgainInANewSession() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = hostileGuest(daemon)) {
            attack(guest, hostile -> writable(hostile, OUTSIDE, 64));
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0);
        }

        try (EntropyDriver guest = hostileGuest(daemon)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void otherGuestsAreServedThroughoutRepeatedAttacks() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)))) {
            for (int i = 0; i < 30; i++) {
                try (EntropyDriver guest = hostileGuest(daemon)) {
                    attack(guest, hostile -> writable(hostile, OUTSIDE, 64));
                    assertServed(neighbour);
                }
            }
        }
    }

    @Test
    void otherGuestsAreServedBesideAChainOfOverlappingHugeBuffers() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = hostileGuest(daemon)) {
            DriverBufferElement everything = DriverBufferElement.writable(
                    BUFFER_ADDRESS, (int) guest.bufferRegion().size());
            guest.ring().makeAvailable(guest.ring().addBuffer(everything, everything, everything, everything));
            guest.requestq().kick().signal();

            assertServed(neighbour);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void otherGuestsAreServedWhileAGuestKicksRepeatedly() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = hostileGuest(daemon)) {
            for (int i = 0; i < 200; i++) {
                for (int kick = 0; kick < 100; kick++) {
                    guest.requestq().kick().signal();
                }
                assertServed(neighbour);
            }
        }
    }
}
