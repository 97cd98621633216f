package org.vhostuserrng.device;

import org.vhostuserrng.frontend.Virtio;
import org.vhostuserrng.fuzz.FuzzInput;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;

/**
 * What of a fuzzed virtqueue is configured and not in memory.
 *
 * @param areas in the first region, anywhere: they may overlap
 */
record RingShape(boolean packed, boolean indirect, boolean eventIdx, int size, int base, QueueAreas areas) {
    private static final int INDIRECT = 1;
    private static final int EVENT_IDX = 2;
    private static final int LARGEST_PACKED = 24;
    private static final int SPLIT_SIZES = 5;

    static RingShape of(boolean packed, FuzzInput input) {
        int flags = input.u8();
        int sizeChoice = input.u8();
        int size = packed ? 1 + sizeChoice % LARGEST_PACKED : 1 << sizeChoice % SPLIT_SIZES;
        int base = packed ? input.u32() : input.u16();
        QueueAreas areas = new QueueAreas(address(input), address(input), address(input));
        return new RingShape(packed, (flags & INDIRECT) != 0, (flags & EVENT_IDX) != 0, size, base, areas);
    }

    private static long address(FuzzInput input) {
        return ModelMemory.BASE + input.u16() % ModelMemory.REGION_BYTES;
    }

    long features() {
        return Virtio.VIRTIO_F_VERSION_1
                | (packed ? Virtio.VIRTIO_F_RING_PACKED : 0)
                | (indirect ? Virtio.VIRTIO_F_INDIRECT_DESC : 0)
                | (eventIdx ? Virtio.VIRTIO_F_EVENT_IDX : 0);
    }

    /** The same virtqueue when it goes on elsewhere. */
    RingShape at(int newBase) {
        return new RingShape(packed, indirect, eventIdx, size, newBase, areas);
    }
}
