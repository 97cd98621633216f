package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;

/**
 * The writable bytes of one request, as pieces of guest memory: what a walk over its descriptors found. One is enough
 * for all the rings of a loop, as a request is walked anew in each turn that fills of it.
 *
 * <p>Of a request only the first {@link #MOST_BYTES} are kept, and the first {@link #MOST_PIECES} pieces: a device may
 * use less than the buffer (VIRTIO 1.3 §5.4.6), and so a request can cost no more than that. For the same reason only
 * the first {@link #MOST_DESCRIPTORS} are looked at.
 */
public final class ScatterGatherList {
    /** What one request can be given. */
    public static final int MOST_BYTES = 65536;

    public static final int MOST_PIECES = 1024;

    /** More than there are pieces, as buffers may be empty. */
    public static final int MOST_DESCRIPTORS = 2048;

    /** Odd, with bits everywhere. */
    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    private static final ValueLayout.OfLong ADDR = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LEN = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment[] segments = new MemorySegment[MOST_PIECES];
    private final long[] addresses = new long[MOST_PIECES];
    private final long[] offsets = new long[MOST_PIECES];
    private final int[] lengths = new int[MOST_PIECES];
    private int pieces;
    private int bytes;
    private int descriptors;

    public void clear() {
        pieces = 0;
        bytes = 0;
        descriptors = 0;
    }

    /**
     * Adds the buffer of a descriptor, of either format: both begin with le64 addr and le32 len. Behind the first
     * {@link #MOST_DESCRIPTORS} none is looked at.
     *
     * @param at where in {@code table} the descriptor begins; with any alignment
     * @param flags of the descriptor, as they were read
     * @return null, or what is wrong with it
     */
    public VirtqueueFault addElement(VirtqueueAddressSpace memory, MemorySegment table, long at, int flags) {
        descriptors++;
        if (descriptors > MOST_DESCRIPTORS) {
            return null;
        }
        // §5.4.6.1: the driver MUST NOT place device-readable buffers into the queue.
        if ((flags & VirtioSpec.VIRTQ_DESC_F_WRITE) == 0) {
            return VirtqueueFault.DEVICE_READABLE;
        }
        long address = table.get(ADDR, at);
        long length = Integer.toUnsignedLong(table.get(LEN, at + Long.BYTES));
        return add(memory, address, length);
    }

    /** Adds a buffer: null, or what is wrong with it. */
    private VirtqueueFault add(VirtqueueAddressSpace memory, long address, long length) {
        if (length == 0) {
            return null;
        }
        if (Long.compareUnsigned(address + length - 1, address) < 0) {
            return VirtqueueFault.BUFFER_RANGE;
        }
        if (memory.isTranslated()) {
            return addTranslated(memory, address, length);
        }
        return add(memory.guest(), address, length) ? null : VirtqueueFault.BUFFER_RANGE;
    }

    /**
     * Adds a buffer at an I/O virtual address. Where nothing will be written, there is no need to know what is mapped:
     * so a request needs a bounded number of translations at once.
     */
    private VirtqueueFault addTranslated(VirtqueueAddressSpace memory, long iova, long length) {
        long at = iova;
        long left = Math.min(length, MOST_BYTES - bytes);
        while (left > 0 && pieces < MOST_PIECES) {
            int translation = memory.translate(at, Iotlb.WRITE);
            if (translation < 0) {
                return VirtqueueFault.ofTranslation(translation);
            }
            long mapped = Math.min(left, memory.room(translation, at));
            if (!add(memory.guest(), memory.guestAddress(translation, at), mapped)) {
                return VirtqueueFault.BUFFER_RANGE;
            }
            at += mapped;
            left -= mapped;
        }
        return null;
    }

    /** Adds bytes at a guest-physical address: whether they lie in guest memory. */
    private boolean add(GuestMemory memory, long address, long length) {
        long at = address;
        long left = length;
        // Regions may touch, and a buffer may lie across two of them.
        while (left > 0) {
            int region = memory.regionAt(at);
            if (region == GuestMemory.NONE) {
                return false;
            }
            MemorySegment segment = memory.bytes(region);
            long offset = memory.offset(region, at);
            long inRegion = Math.min(left, segment.byteSize() - offset);
            keep(segment, at, offset, inRegion);
            at += inRegion;
            left -= inRegion;
        }
        return true;
    }

    private void keep(MemorySegment segment, long address, long offset, long length) {
        int kept = (int) Math.min(length, MOST_BYTES - bytes);
        if (kept > 0 && pieces < MOST_PIECES) {
            segments[pieces] = segment;
            addresses[pieces] = address;
            offsets[pieces] = offset;
            lengths[pieces] = kept;
            pieces++;
            bytes += kept;
        }
    }

    /** How many bytes can be written, 0 to {@link #MOST_BYTES}. */
    public int bytes() {
        return bytes;
    }

    /** What is wrong with a chain that has come to its end: null, or that nothing can be written to it. */
    public VirtqueueFault fault() {
        return bytes == 0 ? VirtqueueFault.NO_ROOM : null;
    }

    /** How many descriptors the walk has seen: what the request cost. */
    public int descriptors() {
        return descriptors;
    }

    /**
     * Tells chains apart by where their bytes lie, in this process: 64 bits that a driver could make the same for two, to
     * deceive nobody but itself.
     */
    public long identity() {
        long identity = bytes;
        for (int piece = 0; piece < pieces; piece++) {
            identity = identity * SPREAD + segments[piece].address() + offsets[piece];
            identity = identity * SPREAD + lengths[piece];
        }
        return identity;
    }

    /**
     * How many of the bytes from {@code from} on lie in so few pieces.
     *
     * @param most pieces, at least 1; the one that holds {@code from} is the first
     */
    public int bytesOf(int from, int most) {
        int end = 0;
        int counted = 0;
        for (int piece = 0; piece < pieces && counted < most; piece++) {
            end += lengths[piece];
            if (end > from) {
                counted++;
            }
        }
        return end - from;
    }

    /** Tells that bytes {@code from} to {@code to}, exclusive, have been written. */
    public void logTo(VirtqueueDirtyLogger writes, int from, int to) {
        int begin = 0;
        for (int piece = 0; begin < to; piece++) {
            int first = Math.max(from - begin, 0);
            int end = Math.min(to - begin, lengths[piece]);
            if (first < end) {
                writes.buffer(addresses[piece] + first, end - first);
            }
            begin += lengths[piece];
        }
    }

    public int pieces() {
        return pieces;
    }

    public MemorySegment segment(int piece) {
        return segments[piece];
    }

    public long offset(int piece) {
        return offsets[piece];
    }

    public int length(int piece) {
        return lengths[piece];
    }
}
