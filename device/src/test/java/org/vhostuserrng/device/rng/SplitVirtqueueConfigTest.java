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
import org.vhostuserrng.transport.virtio.VirtioSpec;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** Invalid split virtqueues (VIRTIO 1.3 §2.7) are refused, and the source stays closed. */
class SplitVirtqueueConfigTest {
    private static final VirtqueueConfig.Areas AREAS =
            new VirtqueueConfig.Areas(RngTestGuest.BASE, RngTestGuest.BASE + 0x1000, RngTestGuest.BASE + 0x2000);

    private final RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
    private final GuestMemory memory =
            GuestMemory.of(List.of(new GuestMemory.Region(RngTestGuest.BASE, guest.first, false)));

    private void assertRefused(int size, int base, VirtqueueConfig.Areas areas) {
        VirtqueueConfig config = new VirtqueueConfig(
                0,
                size,
                new VirtqueuePosition(base, base),
                VirtioSpec.VIRTIO_F_VERSION_1,
                areas,
                VirtqueueAddressSpace.physical(memory),
                new UsedBufferNotifier(),
                new VirtqueueDirtyLogger(new DirtyPageLog()),
                () -> 0,
                null);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(config));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 65536, -1, Integer.MIN_VALUE})
    void refusesASizeThatIsNoPowerOf2UpTo32768(int size) {
        assertRefused(size, 0, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65536})
    void refusesAPositionBeyond16Bits(int base) {
        assertRefused(8, base, AREAS);
    }

    @Test
    void refusesADescriptorTableThatIsNotAlignedTo16() {
        assertRefused(
                8,
                0,
                new VirtqueueConfig.Areas(
                        RngTestGuest.BASE + 8, RngTestGuest.BASE + 0x1000, RngTestGuest.BASE + 0x2000));
    }

    @Test
    void refusesAnAvailableRingThatIsNotAlignedTo2() {
        assertRefused(
                8,
                0,
                new VirtqueueConfig.Areas(RngTestGuest.BASE, RngTestGuest.BASE + 0x1001, RngTestGuest.BASE + 0x2000));
    }

    @Test
    void refusesAUsedRingThatIsNotAlignedTo4() {
        assertRefused(
                8,
                0,
                new VirtqueueConfig.Areas(RngTestGuest.BASE, RngTestGuest.BASE + 0x1000, RngTestGuest.BASE + 0x2002));
    }

    @Test
    void refusesARingThatEndsOutsideMemory() {
        assertRefused(
                8, 0, new VirtqueueConfig.Areas(RngTestGuest.BASE, RngTestGuest.BASE + 0x1000, RngTestGuest.SEAM - 68));
    }

    @Test
    void refusesARingOutsideMemory() {
        assertRefused(8, 0, new VirtqueueConfig.Areas(0, RngTestGuest.BASE + 0x1000, RngTestGuest.BASE + 0x2000));
    }
}
