package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * Follows a descriptor chain of a split virtqueue through its table, and through the indirect table it may end in, and
 * collects its buffers. Every field is read once.
 */
final class SplitDescriptorChainReader {
    // §2.7.5: struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; }
    private static final long ADDR = 0;
    private static final long LEN = 8;
    private static final long FLAGS = 12;
    private static final long NEXT = 14;

    // An indirect table may begin anywhere, so nothing is assumed of alignment.
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment table;
    private final int size;
    private final VirtqueueAddressSpace memory;
    private final boolean indirectAllowed;
    private final IndirectDescriptorTable indirect;

    SplitDescriptorChainReader(MemorySegment table, int size, VirtqueueAddressSpace memory, boolean indirectAllowed) {
        this.table = table;
        this.size = size;
        this.memory = memory;
        this.indirectAllowed = indirectAllowed;
        this.indirect = new IndirectDescriptorTable(memory);
    }

    /** Collects the buffers of the chain that begins at {@code head}: null, or what is wrong with it. */
    VirtqueueFault collect(int head, ScatterGatherList chain) {
        chain.clear();
        if (head >= size) {
            return VirtqueueFault.HEAD_RANGE;
        }
        int looked = Math.min(size, ScatterGatherList.MOST_DESCRIPTORS);
        int index = head;
        for (int seen = 0; seen < looked; seen++) {
            long at = (long) index * VirtioSpec.DESCRIPTOR_BYTES;
            int flags = Short.toUnsignedInt(table.get(LE16, at + FLAGS));
            if ((flags & VirtioSpec.VIRTQ_DESC_F_INDIRECT) != 0) {
                return collectIndirect(at, flags, chain);
            }
            VirtqueueFault fault = chain.addElement(memory, table, at, flags);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioSpec.VIRTQ_DESC_F_NEXT) == 0) {
                return chain.fault();
            }
            index = Short.toUnsignedInt(table.get(LE16, at + NEXT));
            if (index >= size) {
                return VirtqueueFault.NEXT_RANGE;
            }
        }
        // §2.7.5.3.1: a chain is not longer than the Queue Size.
        return looked < size ? chain.fault() : VirtqueueFault.CHAIN_LOOP;
    }

    // §2.7.5.3.2: the device MUST handle zero or more normal descriptors followed by an indirect one, and MUST ignore
    // the write-only flag of that one.
    private VirtqueueFault collectIndirect(long at, int flags, ScatterGatherList chain) {
        if (!indirectAllowed) {
            return VirtqueueFault.INDIRECT_NOT_NEGOTIATED;
        }
        if ((flags & VirtioSpec.VIRTQ_DESC_F_NEXT) != 0) {
            return VirtqueueFault.INDIRECT_AND_NEXT;
        }
        long address = table.get(LE64, at + ADDR);
        long length = Integer.toUnsignedLong(table.get(LE32, at + LEN));
        VirtqueueFault fault = indirect.locate(address, length);
        return fault != null ? fault : collectTable(chain);
    }

    private VirtqueueFault collectTable(ScatterGatherList chain) {
        int index = 0;
        for (int seen = 0; seen < indirect.looked(); seen++) {
            VirtqueueFault unreachable = indirect.seek(index);
            if (unreachable != null) {
                return unreachable;
            }
            MemorySegment segment = indirect.segment();
            long at = indirect.at();
            int flags = Short.toUnsignedInt(segment.get(LE16, at + FLAGS));
            if ((flags & VirtioSpec.VIRTQ_DESC_F_INDIRECT) != 0) {
                return VirtqueueFault.INDIRECT_NESTED;
            }
            VirtqueueFault fault = chain.addElement(memory, segment, at, flags);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioSpec.VIRTQ_DESC_F_NEXT) == 0) {
                return chain.fault();
            }
            index = Short.toUnsignedInt(segment.get(LE16, at + NEXT));
            if (index >= indirect.count()) {
                return VirtqueueFault.NEXT_RANGE;
            }
        }
        return indirect.looked() < indirect.count() ? chain.fault() : VirtqueueFault.CHAIN_LOOP;
    }
}
