package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * Follows a list of descriptors through the ring of a packed virtqueue, or through its indirect table, and collects its
 * buffers. Every field is read once.
 */
final class PackedDescriptorChainReader {
    // §2.8.13: struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; }
    static final long LEN = 8;
    static final long ID = 12;
    static final long FLAGS = 14;
    private static final long ADDR = 0;

    // An indirect table may begin anywhere, so nothing is assumed of alignment.
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment ring;
    private final int size;
    private final VirtqueueAddressSpace memory;
    private final boolean indirectAllowed;
    private final IndirectDescriptorTable indirect;
    private int id;
    private int length;

    PackedDescriptorChainReader(MemorySegment ring, int size, VirtqueueAddressSpace memory, boolean indirectAllowed) {
        this.ring = ring;
        this.size = size;
        this.memory = memory;
        this.indirectAllowed = indirectAllowed;
        this.indirect = new IndirectDescriptorTable(memory);
    }

    /** Whether a descriptor with these flags is available to a device whose wrap counter is {@code wrap}. */
    static boolean isAvailable(int flags, boolean wrap) {
        boolean avail = (flags & VirtioSpec.VIRTQ_DESC_F_AVAIL) != 0;
        boolean used = (flags & VirtioSpec.VIRTQ_DESC_F_USED) != 0;
        return avail == wrap && used != wrap;
    }

    /**
     * Collects the buffers of the list that begins at {@code first}: null, or what is wrong with it.
     *
     * @param firstWrap the wrap counter there
     * @param firstFlags of the first descriptor, which made it available
     * @param most how many descriptors the driver can have made available, at least 1
     */
    VirtqueueFault collect(int first, boolean firstWrap, int firstFlags, int most, ScatterGatherList chain) {
        chain.clear();
        int index = first;
        boolean wrap = firstWrap;
        int flags = firstFlags;
        for (int seen = 1; ; seen++) {
            long at = (long) index * VirtioSpec.DESCRIPTOR_BYTES;
            VirtqueueFault fault = (flags & VirtioSpec.VIRTQ_DESC_F_INDIRECT) != 0
                    ? collectIndirect(at, flags, seen, chain)
                    : chain.addElement(memory, ring, at, flags);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioSpec.VIRTQ_DESC_F_NEXT) == 0) {
                return end(at, seen, chain);
            }
            // §2.8.17: a list is not longer than the Queue Size.
            if (seen == most) {
                return VirtqueueFault.CHAIN_LOOP;
            }
            index++;
            if (index == size) {
                index = 0;
                wrap = !wrap;
            }
            flags = Short.toUnsignedInt(ring.get(LE16, (long) index * VirtioSpec.DESCRIPTOR_BYTES + FLAGS));
            // VIRTIO 1.3 §2.8.15: no descriptor is used unless its AVAIL bit is seen to have changed.
            if (!isAvailable(flags, wrap)) {
                return VirtqueueFault.CHAIN_UNAVAILABLE;
            }
        }
    }

    private VirtqueueFault end(long at, int descriptors, ScatterGatherList chain) {
        // VIRTIO 1.3 §2.8.6: the Buffer ID is that of the last descriptor in the list.
        id = Short.toUnsignedInt(ring.get(LE16, at + ID));
        length = descriptors;
        return chain.fault();
    }

    // VIRTIO 1.3 §2.8.7: the device ignores VIRTQ_DESC_F_WRITE in a descriptor with VIRTQ_DESC_F_INDIRECT.
    private VirtqueueFault collectIndirect(long at, int flags, int seen, ScatterGatherList chain) {
        if (!indirectAllowed) {
            return VirtqueueFault.INDIRECT_NOT_NEGOTIATED;
        }
        // §2.8.19: none in a list linked by VIRTQ_DESC_F_NEXT.
        if ((flags & VirtioSpec.VIRTQ_DESC_F_NEXT) != 0) {
            return VirtqueueFault.INDIRECT_AND_NEXT;
        }
        if (seen > 1) {
            return VirtqueueFault.INDIRECT_IN_CHAIN;
        }
        long address = ring.get(LE64, at + ADDR);
        long bytes = Integer.toUnsignedLong(ring.get(LE32, at + LEN));
        VirtqueueFault fault = indirect.locate(address, bytes);
        return fault != null ? fault : collectTable(chain);
    }

    // VIRTIO 1.3 §2.8.7: the descriptors follow each other, and of their flags the device ignores all but
    // VIRTQ_DESC_F_WRITE; so no table is nested or loops.
    private VirtqueueFault collectTable(ScatterGatherList chain) {
        for (int i = 0; i < indirect.looked(); i++) {
            VirtqueueFault unreachable = indirect.seek(i);
            if (unreachable != null) {
                return unreachable;
            }
            MemorySegment segment = indirect.segment();
            long at = indirect.at();
            int flags = Short.toUnsignedInt(segment.get(LE16, at + FLAGS));
            VirtqueueFault fault = chain.addElement(memory, segment, at, flags);
            if (fault != null) {
                return fault;
            }
        }
        return null;
    }

    /** Buffer ID of the list that was collected. */
    int id() {
        return id;
    }

    /** How many descriptors of the ring that list has. */
    int length() {
        return length;
    }
}
