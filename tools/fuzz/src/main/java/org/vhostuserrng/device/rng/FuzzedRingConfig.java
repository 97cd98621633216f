package org.vhostuserrng.device.rng;

import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * Configuration of a fuzzed virtqueue.
 *
 * <p>Input: a byte with flags ({@code INDIRECT_DESC}, {@code EVENT_IDX}); a byte that selects the size; the base, which
 * is 32 bits for a packed and 16 bits for a split virtqueue; the offsets of the three areas, 16 bits each.
 *
 * @param base the value of SET_VRING_BASE
 * @param areas addresses of the areas, anywhere in the first region; the areas may overlap
 */
record FuzzedRingConfig(
        boolean packed, boolean indirect, boolean eventIdx, int size, int base, VirtqueueConfig.Areas areas) {
    private static final int INDIRECT = 1;
    private static final int EVENT_IDX = 2;
    private static final int MAX_PACKED_SIZE = 24;
    private static final int SPLIT_SIZES = 5;

    static FuzzedRingConfig of(boolean packed, FuzzInputReader input) {
        int flags = input.u8();
        int sizeChoice = input.u8();
        int size = packed ? 1 + sizeChoice % MAX_PACKED_SIZE : 1 << sizeChoice % SPLIT_SIZES;
        int base = packed ? input.u32() : input.u16();
        VirtqueueConfig.Areas areas = new VirtqueueConfig.Areas(address(input), address(input), address(input));
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

    /** Returns the same configuration with another base. */
    FuzzedRingConfig withBase(int newBase) {
        return new FuzzedRingConfig(packed, indirect, eventIdx, size, newBase, areas);
    }
}
