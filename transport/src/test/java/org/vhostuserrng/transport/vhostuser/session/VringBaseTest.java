package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

class VringBaseTest {
    private static final long SPLIT = VirtioConstants.VIRTIO_F_VERSION_1;
    private static final long PACKED = VirtioConstants.VIRTIO_F_VERSION_1 | VirtioConstants.VIRTIO_F_RING_PACKED;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 0xffff})
    void encodesTheAvailableIndexOfASplitVirtqueue(int base) {
        assertEquals(base, VringBase.encode(VringBase.decode(base, SPLIT), SPLIT));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8000_8000, 0x0003_0003, 0x8005_8007, 0x8005_0005})
    void encodesBothPositionsOfAPackedVirtqueue(int base) {
        VirtqueuePosition position = VringBase.decode(base, PACKED);

        assertEquals(new VirtqueuePosition(base & 0xffff, base >>> 16), position);
        assertEquals(base, VringBase.encode(position, PACKED));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8000, 0x8007, 0x0007})
    void takesAPackedBaseWithoutAUsedHalfForBothPositions(int base) {
        assertEquals(new VirtqueuePosition(base, base), VringBase.decode(base, PACKED));
    }
}
