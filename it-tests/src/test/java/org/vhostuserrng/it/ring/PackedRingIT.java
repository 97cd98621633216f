package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverVirtqueueConstants;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests packed virtqueues (VIRTIO 1.3 §2.8), VIRTIO_F_IN_ORDER, and the options that offer both. */
class PackedRingIT {
    private static final Options PACKED =
            Options.DEFAULT.withFeatures(Options.DEFAULT.features() | VirtioFeatureBit.RING_PACKED.mask());

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver start(Options options) throws IOException {
        DaemonProcess daemon = daemons.start("--packed");
        return EntropyDriver.start(daemon.socket(), options);
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true", "true, true"})
    void featuresAreOfferedOnlyWithTheirOptions(boolean packed, boolean inOrder) throws Exception {
        String[] options = packed && inOrder
                ? new String[] {"--packed", "--in-order"}
                : packed ? new String[] {"--packed"} : inOrder ? new String[] {"--in-order"} : new String[0];
        DaemonProcess daemon = daemons.start(options);

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            long offered = guest.session().offeredFeatures();

            assertEquals(packed, (offered & VirtioFeatureBit.RING_PACKED.mask()) != 0);
            assertEquals(inOrder, (offered & VirtioFeatureBit.IN_ORDER.mask()) != 0);
            assertTrue((offered & VirtioFeatureBit.ORDER_PLATFORM.mask()) != 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 64, 1000, 32768})
    void requestsAreServedOnQueuesOfAnySize(int size) throws Exception {
        try (EntropyDriver guest = start(PACKED.withQueueSize(size))) {
            for (int i = 0; i < 10; i++) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @Test
    void splitVirtqueueIsStillServed() throws Exception {
        try (EntropyDriver guest = start(Options.DEFAULT)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void inOrderGuestIsServed() throws Exception {
        DaemonProcess daemon = daemons.start("--in-order", "--packed");
        Options inOrder = PACKED.withFeatures(
                PACKED.features() | VirtioFeatureBit.IN_ORDER.mask() | VirtioFeatureBit.ORDER_PLATFORM.mask());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(), inOrder)) {
            assertTrue((guest.features() & VirtioFeatureBit.IN_ORDER.mask()) != 0);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void restartsUnderLoadNeitherLoseNorRepeatRequests() throws Exception {
        try (EntropyDriver guest = start(PACKED.withQueueSize(37))) {
            DriverRing ring = guest.driverRing();
            int offered = 0;
            int popped = 0;
            for (int round = 0; round < 50; round++) {
                while (ring.freeDescriptors() > 0) {
                    ring.makeAvailable(ring.addWritableBuffer(BUFFER_ADDRESS + 64L * ring.freeDescriptors(), 64));
                    offered++;
                }
                guest.kickIfNeeded();

                int base = guest.session().stop();
                popped += popAll(ring);
                guest.session().startRing(guest.requestq(), guest.memory(), base);
            }
            while (popped < offered && guest.awaitUsed(HANG_TIMEOUT)) {
                popped += popAll(ring);
            }

            assertEquals(offered, popped);
            assertEquals(ring.vringBase(), guest.session().stop());
        }
    }

    /** Pops all used buffers and returns their number. Throws an exception if the device uses a buffer twice. */
    private static int popAll(DriverRing ring) {
        int popped = 0;
        while (ring.popUsed()) {
            assertEquals(64, ring.usedLength());
            popped++;
        }
        return popped;
    }

    @Test
    void guestCanResetItsQueue() throws Exception {
        try (EntropyDriver guest = start(PACKED.withQueueSize(5))) {
            guest.request(64, HANG_TIMEOUT);
            guest.session().stop();
            DriverPackedRing ring = (DriverPackedRing) guest.driverRing();
            ring.reset(0x8000);

            guest.session().startRing(guest.requestq(), guest.memory(), ring.vringBase());

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void malformedRingStaysBrokenUntilItIsReset() throws Exception {
        try (EntropyDriver guest = start(PACKED.withQueueSize(5))) {
            DriverPackedRing ring = (DriverPackedRing) guest.driverRing();
            ring.setDescriptor(0, BUFFER_ADDRESS, 64, 0, DriverVirtqueueConstants.VIRTQ_DESC_F_AVAIL);
            guest.requestq().kick().signal();
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT.toMillis()) > 0);
            assertFalse(ring.hasUsed());

            int base = guest.session().getVringBase(FrontendRequestq.INDEX);
            ring.reset(base & 0xffff);
            guest.session().startRing(guest.requestq(), guest.memory(), base);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void benchUsesAPackedRing() throws Exception {
        DaemonProcess daemon = daemons.start("--packed");

        PackagedProgram.Result result = PackagedProgram.run(
                "bench", "--socket-path=" + daemon.socket(), "--seconds=1", "--warmup=0", "--packed", "--depth=16");

        assertEquals(0, result.status(), result::stderr);
    }

    @Test
    void benchReportsThatThePackedRingIsNotOffered() throws Exception {
        DaemonProcess daemon = daemons.start();

        PackagedProgram.Result result = PackagedProgram.run("bench", "--socket-path=" + daemon.socket(), "--packed");

        assertEquals(1, result.status());
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("VIRTIO_F_RING_PACKED"), result::stderr);
    }
}
