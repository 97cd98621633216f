package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;
import org.vhostuserrng.transport.WriteLog;

/** Virtqueues that cannot be (VIRTIO 1.3 §2.7): refused, and the source stays closed. */
class QueueSetupTest {
    private static final QueueAreas AREAS = new QueueAreas(Guest.BASE, Guest.BASE + 0x1000, Guest.BASE + 0x2000);

    private final Guest<SplitDriverRing> guest = Guest.split();
    private final GuestMemory memory = GuestMemory.of(List.of(new GuestMemory.Region(Guest.BASE, guest.first, false)));

    private void assertRefused(int size, int base, QueueAreas areas) {
        QueueSetup setup = new QueueSetup(
                0,
                size,
                base,
                Virtio.VIRTIO_F_VERSION_1,
                areas,
                QueueMemory.physical(memory),
                new CallSignal(),
                new WriteLog(new DirtyLog()),
                () -> 0);

        assertThrows(InvalidQueueException.class, () -> guest.device.start(setup));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 65536, -1, Integer.MIN_VALUE})
    void refusesASizeThatIsNoPowerOf2UpTo32768(int size) {
        assertRefused(size, 0, AREAS);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65536})
    void refusesABaseBeyond16Bits(int base) {
        assertRefused(8, base, AREAS);
    }

    @Test
    void refusesADescriptorTableThatIsNotAlignedTo16() {
        assertRefused(8, 0, new QueueAreas(Guest.BASE + 8, Guest.BASE + 0x1000, Guest.BASE + 0x2000));
    }

    @Test
    void refusesAnAvailableRingThatIsNotAlignedTo2() {
        assertRefused(8, 0, new QueueAreas(Guest.BASE, Guest.BASE + 0x1001, Guest.BASE + 0x2000));
    }

    @Test
    void refusesAUsedRingThatIsNotAlignedTo4() {
        assertRefused(8, 0, new QueueAreas(Guest.BASE, Guest.BASE + 0x1000, Guest.BASE + 0x2002));
    }

    @Test
    void refusesARingThatEndsOutsideMemory() {
        assertRefused(8, 0, new QueueAreas(Guest.BASE, Guest.BASE + 0x1000, Guest.SEAM - 68));
    }

    @Test
    void refusesARingOutsideMemory() {
        assertRefused(8, 0, new QueueAreas(0, Guest.BASE + 0x1000, Guest.BASE + 0x2000));
    }
}
