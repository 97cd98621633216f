package org.vhostuserrng.transport.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The copies of a virtqueue's areas, and of one indirect descriptor table at a time, that are in guest memory which
 * this process cannot map. The transport copies them from and to the guest. Buffers are in the regions of
 * {@link GuestMemory} themselves. Confined to the loop's thread.
 */
public final class ShadowVirtqueueAreas implements AutoCloseable {
    /** A virtqueue has a descriptor area, a driver area and a device area. */
    private static final int MAX_AREAS = 3;

    private static final int ALIGNMENT = 16;

    private final Arena arena = Arena.ofConfined();
    private final long[] addresses = new long[MAX_AREAS];
    private final MemorySegment[] areas = new MemorySegment[MAX_AREAS];
    private int count;

    private long readAddress;
    private long readLength;
    private long missingAddress;
    private long missingLength;

    /** Creates copies without an area. */
    public ShadowVirtqueueAreas() {}

    /** Adds an area, and returns its copy, which contains zeros. Areas with the same address differ in length. */
    public MemorySegment addArea(long address, long length) {
        addresses[count] = address;
        // Aligned like the area in guest memory, so that the device can check the alignment.
        long skipped = address & (ALIGNMENT - 1);
        areas[count] = arena.allocate(skipped + length, ALIGNMENT).asSlice(skipped);
        return areas[count++];
    }

    /** Returns the copy of an area; null if there is no such area. */
    MemorySegment area(long address, long length) {
        for (int i = 0; i < count; i++) {
            if (addresses[i] == address && areas[i].byteSize() == length) {
                return areas[i];
            }
        }
        return null;
    }

    /**
     * Whether the transport has read a range, which is in a region that is a copy. Otherwise the range is
     * {@link #missingAddress} and {@link #missingLength}, unless another range is read later.
     */
    boolean hasRead(long address, long length) {
        if (address == readAddress && length == readLength) {
            return true;
        }
        missingAddress = address;
        missingLength = length;
        return false;
    }

    /** The address of the range that the device could not read. */
    public long missingAddress() {
        return missingAddress;
    }

    /** The length of the range that the device could not read; 0 if it could read all ranges. */
    public long missingLength() {
        return missingLength;
    }

    /** Records that the transport has read the missing range, which the device can read until {@link #forgetRead}. */
    public void readMissing() {
        readAddress = missingAddress;
        readLength = missingLength;
        missingLength = 0;
    }

    /** Records that the range that the transport has read is no longer up to date. */
    public void forgetRead() {
        readLength = 0;
    }

    /** Frees the copies of the areas. */
    @Override
    public void close() {
        arena.close();
    }
}
