package org.vhostuserrng.device.rng;

import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;

/**
 * What of a fuzzed virtqueue is configured and not in memory.
 *
 * @param areas in the first region, anywhere: they may overlap
 */
record FuzzedRingConfig(boolean packed, boolean indirect, boolean eventIdx, int size, int base, QueueAreas areas) {
    private static final int INDIRECT = 1;
    private static final int EVENT_IDX = 2;
    private static final int LARGEST_PACKED = 24;
    private static final int SPLIT_SIZES = 5;

    static FuzzedRingConfig of(boolean packed, FuzzInputReader input) {
        int flags = input.u8();
        int sizeChoice = input.u8();
        int size = packed ? 1 + sizeChoice % LARGEST_PACKED : 1 << sizeChoice % SPLIT_SIZES;
        int base = packed ? input.u32() : input.u16();
        QueueAreas areas = new QueueAreas(address(input), address(input), address(input));
        return new FuzzedRingConfig(packed, (flags & INDIRECT) != 0, (flags & EVENT_IDX) != 0, size, base, areas);
    }

    private static long address(FuzzInputReader input) {
        return ReferenceGuestMemory.BASE + input.u16() % ReferenceGuestMemory.REGION_BYTES;
    }

    long features() {
        return VirtioFeatureBit.VERSION_1.mask()
                | (packed ? VirtioFeatureBit.RING_PACKED.mask() : 0)
                | (indirect ? VirtioFeatureBit.INDIRECT_DESC.mask() : 0)
                | (eventIdx ? VirtioFeatureBit.EVENT_IDX.mask() : 0);
    }

    /** The same virtqueue when it goes on elsewhere. */
    FuzzedRingConfig at(int newBase) {
        return new FuzzedRingConfig(packed, indirect, eventIdx, size, newBase, areas);
    }
}
