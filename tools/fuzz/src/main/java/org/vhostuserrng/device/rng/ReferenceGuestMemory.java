package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.vhostuserrng.transport.memory.GuestMemory;

/**
 * The memory of a fuzzed guest, as a {@link ReferenceDeviceRing} accesses it: one array that holds three regions. The
 * first two regions are adjacent, and the last one ends at 2^64. Offsets are positions in the array.
 */
final class ReferenceGuestMemory {
    static final int REGION_BYTES = 4096;
    /** Guest-physical address of the first region, which contains the ring. */
    static final long BASE = 0x10000;

    private static final long[] REGION_ADDRESSES = {BASE, BASE + REGION_BYTES, -REGION_BYTES};
    static final int BYTES = REGION_ADDRESSES.length * REGION_BYTES;

    private final ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** The same regions for the device, one after the other in {@code memory}. */
    static GuestMemory guestMemory(MemorySegment memory) {
        return GuestMemory.of(List.of(region(memory, 0), region(memory, 1), region(memory, 2)));
    }

    private static GuestMemory.Region region(MemorySegment memory, int region) {
        MemorySegment bytes = memory.asSlice((long) region * REGION_BYTES, REGION_BYTES);
        return new GuestMemory.Region(REGION_ADDRESSES[region], bytes, false);
    }

    /** The offset of a guest-physical address; −1 if no region contains it. */
    static int offsetOf(long address) {
        for (int region = 0; region < REGION_ADDRESSES.length; region++) {
            long offset = address - REGION_ADDRESSES[region];
            if (Long.compareUnsigned(offset, REGION_BYTES) < 0) {
                return region * REGION_BYTES + (int) offset;
            }
        }
        return -1;
    }

    /** The number of bytes from an offset to the end of its region. */
    static int bytesToRegionEnd(int offset) {
        return REGION_BYTES - offset % REGION_BYTES;
    }

    /** Whether a single region contains a range of guest-physical addresses. */
    static boolean contains(long address, long length) {
        int offset = offsetOf(address);
        return offset >= 0 && length <= bytesToRegionEnd(offset);
    }

    int u16(int offset) {
        return Short.toUnsignedInt(bytes.getShort(offset));
    }

    int u32(int offset) {
        return bytes.getInt(offset);
    }

    long u64(int offset) {
        return bytes.getLong(offset);
    }

    void set8(int offset, byte value) {
        bytes.put(offset, value);
    }

    void set16(int offset, int value) {
        bytes.putShort(offset, (short) value);
    }

    void set32(int offset, int value) {
        bytes.putInt(offset, value);
    }

    /** Writes bytes to this array, at most up to its end, and to the device's memory. */
    void write(int offset, byte[] written, MemorySegment deviceMemory) {
        int length = Math.min(written.length, BYTES - offset);
        bytes.put(offset, written, 0, length);
        MemorySegment.copy(written, 0, deviceMemory, ValueLayout.JAVA_BYTE, offset, length);
    }

    /** The first offset at which the device's memory differs; −1 if none. */
    long mismatch(MemorySegment deviceMemory) {
        return MemorySegment.ofArray(bytes.array()).mismatch(deviceMemory);
    }
}
