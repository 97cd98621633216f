package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.MissingTranslationException;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;
import org.vhostuserrng.transport.WriteLog;

/** Packed virtqueues that cannot be (VIRTIO 1.3 §2.8): refused, and the source stays closed. */
class PackedQueueSetupTest {
    private static final int FRESH = 0x8000_8000;
    private static final QueueAreas AREAS = new QueueAreas(Guest.BASE, Guest.BASE + 0x1000, Guest.BASE + 0x2000);

    private final Guest<PackedDriverRing> guest = Guest.packed(8, 0);
    private final GuestMemory memory = GuestMemory.of(List.of(new GuestMemory.Region(Guest.BASE, guest.first, false)));

    private QueueSetup setup(int size, int base, QueueAreas areas) {
        long features = Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_RING_PACKED;
        return new QueueSetup(
                0,
                size,
                base,
                features,
                areas,
                QueueMemory.physical(memory),
                new CallSignal(),
                new WriteLog(new DirtyLog()),
                () -> 0);
    }

    private void assertRefused(int size, int base, QueueAreas areas) {
        QueueSetup setup = setup(size, base, areas);

        assertThrows(InvalidQueueException.class, () -> guest.device.start(setup));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 32769, 65536, -1, Integer.MIN_VALUE})
    void refusesASizeThatIsNotIn1To32768(int size) {
        assertRefused(size, FRESH, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8007_8008, 0x8008_8007, 0x0008_0008, 0xffff_ffff, 0x0000_ffff})
    void refusesABaseBeyondTheRing(int base) {
        assertRefused(8, base, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8001_8000, 0x8000_0001, 0x0001_8002})
    void refusesABaseWithMoreUnderWayThanTheRingHolds(int base) {
        assertRefused(8, base, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8000_8000, 0x0003_0003, 0x8005_8007, 0x8005_0005})
    void goesOnFromBothHalvesOfABase(int base) throws InvalidQueueException, MissingTranslationException {
        assertEquals(base, guest.device.start(setup(8, base, AREAS)).stop());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8000, 0x8007, 0x0007})
    void takesABaseOfTheAvailableHalfAloneForBoth(int base) throws InvalidQueueException, MissingTranslationException {
        assertEquals(
                base << 16 | base, guest.device.start(setup(8, base, AREAS)).stop());
    }

    @Test
    void refusesADescriptorRingThatIsNotAlignedTo16() {
        assertRefused(8, FRESH, new QueueAreas(Guest.BASE + 8, Guest.BASE + 0x1000, Guest.BASE + 0x2000));
    }

    @Test
    void refusesADriverEventSuppressionThatIsNotAlignedTo4() {
        assertRefused(8, FRESH, new QueueAreas(Guest.BASE, Guest.BASE + 0x1002, Guest.BASE + 0x2000));
    }

    @Test
    void refusesADeviceEventSuppressionThatIsNotAlignedTo4() {
        assertRefused(8, FRESH, new QueueAreas(Guest.BASE, Guest.BASE + 0x1000, Guest.BASE + 0x2002));
    }

    @Test
    void refusesADescriptorRingThatEndsOutsideMemory() {
        assertRefused(8, FRESH, new QueueAreas(Guest.SEAM - 112, Guest.BASE + 0x1000, Guest.BASE + 0x2000));
    }

    @Test
    void refusesAnEventSuppressionOutsideMemory() {
        assertRefused(8, FRESH, new QueueAreas(Guest.BASE, 0, Guest.BASE + 0x2000));
    }
}
