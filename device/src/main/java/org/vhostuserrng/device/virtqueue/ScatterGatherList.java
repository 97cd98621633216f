package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The device-writable buffers of one descriptor chain, as segments of guest memory. All virtqueues of a loop can share
 * one instance, because a chain is read again each time before the device writes to it.
 *
 * <p>The list limits the cost of a request: it contains at most {@link #MAX_BYTES} bytes in at most
 * {@link #MAX_SEGMENTS} segments, from at most {@link #MAX_DESCRIPTORS} descriptors. It ignores the rest of a longer
 * chain, because the device may use less than the whole buffer (VIRTIO 1.3 §5.4.6).
 */
public final class ScatterGatherList {
    /** Maximum number of bytes of one request. */
    public static final int MAX_BYTES = 65536;

    public static final int MAX_SEGMENTS = 1024;

    /** Maximum number of descriptors to read: greater than {@link #MAX_SEGMENTS}, because some buffers may be empty. */
    public static final int MAX_DESCRIPTORS = 2048;

    /** An odd multiplier with bits set in all bytes, which distributes the fingerprint over 64 bits. */
    private static final long FINGERPRINT_MULTIPLIER = 0x9e3779b97f4a7c15L;

    private static final ValueLayout.OfLong ADDR = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LEN = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment[] regions = new MemorySegment[MAX_SEGMENTS];
    private final long[] guestAddresses = new long[MAX_SEGMENTS];
    private final long[] offsets = new long[MAX_SEGMENTS];
    private final int[] lengths = new int[MAX_SEGMENTS];
    private int segments;
    private int bytes;
    private int descriptors;

    void clear() {
        segments = 0;
        bytes = 0;
        descriptors = 0;
    }

    /**
     * Adds the buffer of a split or packed descriptor: both formats begin with le64 addr and le32 len. Ignores
     * descriptors beyond {@link #MAX_DESCRIPTORS}.
     *
     * @param at offset of the descriptor in {@code table}; any alignment
     * @param flags the flags of the descriptor, which the caller has read
     * @return null, or the fault
     */
    VirtqueueFault addDescriptor(VirtqueueAddressSpace memory, MemorySegment table, long at, int flags) {
        descriptors++;
        if (descriptors > MAX_DESCRIPTORS) {
            return null;
        }
        // VIRTIO 1.3 §5.4.6.1: the driver MUST NOT place device-readable buffers into the queue.
        if ((flags & VirtioConstants.VIRTQ_DESC_F_WRITE) == 0) {
            return VirtqueueFault.DEVICE_READABLE;
        }
        long address = table.get(ADDR, at);
        long length = Integer.toUnsignedLong(table.get(LEN, at + Long.BYTES));
        return addBuffer(memory, address, length);
    }

    private VirtqueueFault addBuffer(VirtqueueAddressSpace memory, long address, long length) {
        if (length == 0) {
            return null;
        }
        if (Long.compareUnsigned(address + length - 1, address) < 0) {
            return VirtqueueFault.ofBuffer(memory, address);
        }
        return memory.isTranslated() ? addTranslated(memory, address, length) : addPhysical(memory, address, length);
    }

    /** Translates only the bytes that fit in the list, so that a request needs a limited number of IOTLB entries. */
    private VirtqueueFault addTranslated(VirtqueueAddressSpace memory, long iova, long length) {
        long at = iova;
        long left = Math.min(length, MAX_BYTES - bytes);
        while (left > 0 && segments < MAX_SEGMENTS) {
            int translation = memory.translate(at, Iotlb.WRITE);
            if (translation < 0) {
                return VirtqueueFault.ofTranslation(translation);
            }
            long mapped = Math.min(left, memory.remaining(translation, at));
            VirtqueueFault fault = addPhysical(memory, memory.guestAddress(translation, at), mapped);
            if (fault != null) {
                return fault;
            }
            at += mapped;
            left -= mapped;
        }
        return null;
    }

    /** Adds a range of guest-physical addresses. Returns null, or the fault. */
    private VirtqueueFault addPhysical(VirtqueueAddressSpace addressSpace, long address, long length) {
        GuestMemory memory = addressSpace.guest();
        long at = address;
        long left = length;
        // A buffer may cross the boundary of adjacent regions.
        while (left > 0) {
            int region = memory.regionAt(at);
            if (region == GuestMemory.NONE) {
                return VirtqueueFault.ofBuffer(addressSpace, at);
            }
            MemorySegment memoryOfRegion = memory.bytes(region);
            long offset = memory.offset(region, at);
            long inRegion = Math.min(left, memoryOfRegion.byteSize() - offset);
            int kept = (int) Math.min(inRegion, MAX_BYTES - bytes);
            if (kept > 0 && segments < MAX_SEGMENTS) {
                if (!addressSpace.isAllocated(region, offset, kept)) {
                    return VirtqueueFault.HUGE_PAGE_MISS;
                }
                addSegment(memoryOfRegion, at, offset, kept);
            }
            at += inRegion;
            left -= inRegion;
        }
        return null;
    }

    private void addSegment(MemorySegment region, long guestAddress, long offset, int length) {
        regions[segments] = region;
        guestAddresses[segments] = guestAddress;
        offsets[segments] = offset;
        lengths[segments] = length;
        segments++;
        bytes += length;
    }

    /** The number of writable bytes, 0 to {@link #MAX_BYTES}. */
    public int bytes() {
        return bytes;
    }

    /**
     * Returns {@link VirtqueueFault#NO_WRITABLE_BYTES} if a chain that was read to its end has no writable byte;
     * otherwise null.
     */
    VirtqueueFault faultAtEnd() {
        return bytes == 0 ? VirtqueueFault.NO_WRITABLE_BYTES : null;
    }

    /** The number of descriptors that were read. */
    public int descriptors() {
        return descriptors;
    }

    /**
     * Returns a hash of the addresses and lengths of all segments in this process, which is equal for the same buffers.
     * A driver that constructs a collision harms only itself.
     */
    public long fingerprint() {
        long fingerprint = bytes;
        for (int segment = 0; segment < segments; segment++) {
            fingerprint = fingerprint * FINGERPRINT_MULTIPLIER + regions[segment].address() + offsets[segment];
            fingerprint = fingerprint * FINGERPRINT_MULTIPLIER + lengths[segment];
        }
        return fingerprint;
    }

    /**
     * Returns the number of bytes from position {@code from} to the end of the segment that contains {@code from}, or
     * of a later one.
     *
     * @param maxSegments the maximum number of these segments, at least 1
     */
    public int bytesInSegments(int from, int maxSegments) {
        int end = 0;
        int counted = 0;
        for (int segment = 0; segment < segments && counted < maxSegments; segment++) {
            end += lengths[segment];
            if (end > from) {
                counted++;
            }
        }
        return end - from;
    }

    /** Logs that the bytes from position {@code from} to {@code to} (exclusive) were written. */
    public void logWrite(VirtqueueDirtyLogger logger, int from, int to) {
        int begin = 0;
        for (int segment = 0; begin < to; segment++) {
            int first = Math.max(from - begin, 0);
            int end = Math.min(to - begin, lengths[segment]);
            if (first < end) {
                logger.logBufferWrite(guestAddresses[segment] + first, end - first);
            }
            begin += lengths[segment];
        }
    }

    /** The number of segments. */
    public int segments() {
        return segments;
    }

    /** Returns the memory region that contains a segment. */
    public MemorySegment region(int segment) {
        return regions[segment];
    }

    /** Returns the offset of a segment in its region. */
    public long offset(int segment) {
        return offsets[segment];
    }

    public int length(int segment) {
        return lengths[segment];
    }
}
