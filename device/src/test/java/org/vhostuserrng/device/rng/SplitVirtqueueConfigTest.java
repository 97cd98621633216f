package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** Tests that the device rejects an invalid split virtqueue (VIRTIO 1.3 §2.7), and does not open the source. */
class SplitVirtqueueConfigTest {
    private static final VirtqueueConfig.Areas AREAS = new VirtqueueConfig.Areas(
            RngTestGuest.FIRST_REGION, RngTestGuest.FIRST_REGION + 0x1000, RngTestGuest.FIRST_REGION + 0x2000);

    private final RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
    private final GuestMemory memory =
            GuestMemory.of(List.of(new GuestMemory.Region(RngTestGuest.FIRST_REGION, guest.firstRegion, false)));

    private void assertRejected(int size, int base, VirtqueueConfig.Areas areas) {
        VirtqueueConfig config = new VirtqueueConfig(
                0,
                size,
                new VirtqueuePosition(base, base),
                VirtioConstants.VIRTIO_F_VERSION_1,
                areas,
                VirtqueueAddressSpace.physical(memory),
                new UsedBufferNotifier(),
                new VirtqueueDirtyLogger(new DirtyPageLog()),
                () -> 0,
                null,
                null);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(config));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 65536, -1, Integer.MIN_VALUE})
    void rejectsASizeThatIsNotAPowerOf2UpTo32768(int size) {
        assertRejected(size, 0, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65536})
    void rejectsAPositionBeyond16Bits(int base) {
        assertRejected(8, base, AREAS);
    }

    @Test
    void rejectsADescriptorTableThatIsNotAlignedTo16() {
        assertRejected(
                8,
                0,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION + 8,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.FIRST_REGION + 0x2000));
    }

    @Test
    void rejectsAnAvailableRingThatIsNotAlignedTo2() {
        assertRejected(
                8,
                0,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION,
                        RngTestGuest.FIRST_REGION + 0x1001,
                        RngTestGuest.FIRST_REGION + 0x2000));
    }

    @Test
    void rejectsAUsedRingThatIsNotAlignedTo4() {
        assertRejected(
                8,
                0,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.FIRST_REGION + 0x2002));
    }

    @Test
    void rejectsAUsedRingThatEndsOutsideGuestMemory() {
        assertRejected(
                8,
                0,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.SECOND_REGION - 68));
    }

    @Test
    void rejectsADescriptorTableOutsideGuestMemory() {
        assertRejected(
                8,
                0,
                new VirtqueueConfig.Areas(0, RngTestGuest.FIRST_REGION + 0x1000, RngTestGuest.FIRST_REGION + 0x2000));
    }
}
