package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.vhostuserrng.transport.memory.GuestMemory;

/**
 * The memory of a fuzzed guest for a {@link ReferenceDeviceRing}: one array that contains three regions. The first two
 * regions are adjacent in the address space, and the last one ends at 2^64. Offsets are indexes of the array.
 */
final class ReferenceGuestMemory {
    static final int REGION_BYTES = 4096;
    /** Guest-physical address of the first region, which contains the ring. */
    static final long BASE = 0x10000;

    private static final long[] REGION_ADDRESSES = {BASE, BASE + REGION_BYTES, -REGION_BYTES};
    static final int BYTES = REGION_ADDRESSES.length * REGION_BYTES;

    private final ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** Returns the same regions for the device; {@code memory} contains them one after the other. */
    static GuestMemory guestMemory(MemorySegment memory) {
        return GuestMemory.of(List.of(region(memory, 0), region(memory, 1), region(memory, 2)));
    }

    private static GuestMemory.Region region(MemorySegment memory, int region) {
        MemorySegment bytes = memory.asSlice((long) region * REGION_BYTES, REGION_BYTES);
        return new GuestMemory.Region(REGION_ADDRESSES[region], bytes, false);
    }

    /** Returns the offset of a guest-physical address; −1 if no region contains the address. */
    static int offsetOf(long address) {
        for (int region = 0; region < REGION_ADDRESSES.length; region++) {
            long offset = address - REGION_ADDRESSES[region];
            if (Long.compareUnsigned(offset, REGION_BYTES) < 0) {
                return region * REGION_BYTES + (int) offset;
            }
        }
        return -1;
    }

    /** Returns the number of bytes from an offset to the end of its region. */
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

    /** Writes bytes to the array and to the device's memory. Bytes beyond the end are left out. */
    void write(int offset, byte[] written, MemorySegment deviceMemory) {
        int length = Math.min(written.length, BYTES - offset);
        bytes.put(offset, written, 0, length);
        MemorySegment.copy(written, 0, deviceMemory, ValueLayout.JAVA_BYTE, offset, length);
    }

    /** Returns the first offset at which the device's memory differs from the array; −1 if they are equal. */
    long mismatch(MemorySegment deviceMemory) {
        return MemorySegment.ofArray(bytes.array()).mismatch(deviceMemory);
    }
}
