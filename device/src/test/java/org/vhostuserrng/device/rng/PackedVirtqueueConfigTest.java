package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** Tests that the device rejects an invalid packed virtqueue (VIRTIO 1.3 §2.8), and does not open the source. */
class PackedVirtqueueConfigTest {
    /** The base of a virtqueue after a reset: both wrap counters are 1. */
    private static final int INITIAL_BASE = 0x8000_8000;

    private static final VirtqueueConfig.Areas AREAS = new VirtqueueConfig.Areas(
            RngTestGuest.FIRST_REGION, RngTestGuest.FIRST_REGION + 0x1000, RngTestGuest.FIRST_REGION + 0x2000);

    private final RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
    private final GuestMemory memory =
            GuestMemory.of(List.of(new GuestMemory.Region(RngTestGuest.FIRST_REGION, guest.firstRegion, false)));

    private VirtqueueConfig config(int size, int base, VirtqueueConfig.Areas areas) {
        long features = VirtioConstants.VIRTIO_F_VERSION_1 | VirtioConstants.VIRTIO_F_RING_PACKED;
        return new VirtqueueConfig(
                0,
                size,
                guest.position(base),
                features,
                areas,
                VirtqueueAddressSpace.physical(memory),
                new UsedBufferNotifier(),
                new VirtqueueDirtyLogger(new DirtyPageLog()),
                () -> 0,
                null,
                null);
    }

    private void assertRejected(int size, int base, VirtqueueConfig.Areas areas) {
        VirtqueueConfig config = config(size, base, areas);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(config));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 32769, 65536, -1, Integer.MIN_VALUE})
    void rejectsASizeOutside1To32768(int size) {
        assertRejected(size, INITIAL_BASE, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8007_8008, 0x8008_8007, 0x0008_0008, 0xffff_ffff, 0x0000_ffff})
    void rejectsAPositionOutsideTheRing(int base) {
        assertRejected(8, base, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8001_8000, 0x8000_0001, 0x0001_8002})
    void rejectsAPositionWithMoreDescriptorsInFlightThanTheRingHas(int base) {
        assertRejected(8, base, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8000_8000, 0x0003_0003, 0x8005_8007, 0x8005_0005})
    void resumesAtTheGivenPosition(int base) throws InvalidVirtqueueException, MemoryNotReadyException {
        assertEquals(base, guest.stop(guest.device.start(config(8, base, AREAS))));
    }

    @Test
    void rejectsADescriptorRingThatIsNotAlignedTo16() {
        assertRejected(
                8,
                INITIAL_BASE,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION + 8,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.FIRST_REGION + 0x2000));
    }

    @Test
    void rejectsADriverEventSuppressionStructureThatIsNotAlignedTo4() {
        assertRejected(
                8,
                INITIAL_BASE,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION,
                        RngTestGuest.FIRST_REGION + 0x1002,
                        RngTestGuest.FIRST_REGION + 0x2000));
    }

    @Test
    void rejectsADeviceEventSuppressionStructureThatIsNotAlignedTo4() {
        assertRejected(
                8,
                INITIAL_BASE,
                new VirtqueueConfig.Areas(
                        RngTestGuest.FIRST_REGION,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.FIRST_REGION + 0x2002));
    }

    @Test
    void rejectsADescriptorRingThatEndsOutsideGuestMemory() {
        assertRejected(
                8,
                INITIAL_BASE,
                new VirtqueueConfig.Areas(
                        RngTestGuest.SECOND_REGION - 112,
                        RngTestGuest.FIRST_REGION + 0x1000,
                        RngTestGuest.FIRST_REGION + 0x2000));
    }

    @Test
    void rejectsAnEventSuppressionStructureOutsideGuestMemory() {
        assertRejected(
                8,
                INITIAL_BASE,
                new VirtqueueConfig.Areas(RngTestGuest.FIRST_REGION, 0, RngTestGuest.FIRST_REGION + 0x2000));
    }
}
