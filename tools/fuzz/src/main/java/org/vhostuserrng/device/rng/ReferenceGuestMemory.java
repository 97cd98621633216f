package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.vhostuserrng.transport.memory.GuestMemory;

/**
 * The memory of a fuzzed guest, as a {@link ReferenceDeviceRing} sees it: three regions, of which two touch and one ends at 2^64,
 * in one array.
 */
final class ReferenceGuestMemory {
    static final int REGION_BYTES = 4096;
    /** Where the first region begins, which holds the ring. */
    static final long BASE = 0x10000;

    private static final long[] STARTS = {BASE, BASE + REGION_BYTES, -REGION_BYTES};
    static final int BYTES = STARTS.length * REGION_BYTES;

    private final ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** What the device is given: the same regions, in {@code memory} one behind the other. */
    static GuestMemory guestMemory(MemorySegment memory) {
        return GuestMemory.of(List.of(region(memory, 0), region(memory, 1), region(memory, 2)));
    }

    private static GuestMemory.Region region(MemorySegment memory, int region) {
        MemorySegment bytes = memory.asSlice((long) region * REGION_BYTES, REGION_BYTES);
        return new GuestMemory.Region(STARTS[region], bytes, false);
    }

    /** Where in the array a guest-physical address is; −1 if nowhere. */
    static int at(long address) {
        for (int region = 0; region < STARTS.length; region++) {
            long offset = address - STARTS[region];
            if (Long.compareUnsigned(offset, REGION_BYTES) < 0) {
                return region * REGION_BYTES + (int) offset;
            }
        }
        return -1;
    }

    /** How many bytes of its region lie from there on. */
    static int room(int at) {
        return REGION_BYTES - at % REGION_BYTES;
    }

    /** Whether so many bytes lie in one region. */
    static boolean holds(long address, long length) {
        int at = at(address);
        return at >= 0 && length <= room(at);
    }

    int u16(int at) {
        return Short.toUnsignedInt(bytes.getShort(at));
    }

    int u32(int at) {
        return bytes.getInt(at);
    }

    long u64(int at) {
        return bytes.getLong(at);
    }

    void set8(int at, byte value) {
        bytes.put(at, value);
    }

    void set16(int at, int value) {
        bytes.putShort(at, (short) value);
    }

    void set32(int at, int value) {
        bytes.putInt(at, value);
    }

    /** Writes bytes, as many as there is room for, here and in the device's memory. */
    void write(int at, byte[] written, MemorySegment memory) {
        int length = Math.min(written.length, BYTES - at);
        bytes.put(at, written, 0, length);
        MemorySegment.copy(written, 0, memory, ValueLayout.JAVA_BYTE, at, length);
    }

    /** Where it first differs from the device's memory; −1 if nowhere. */
    long mismatch(MemorySegment memory) {
        return MemorySegment.ofArray(bytes.array()).mismatch(memory);
    }
}
