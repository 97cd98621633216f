package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * Reads a descriptor chain of a split virtqueue and collects its buffers. The chain may end in an indirect table. Reads
 * every field only once, because the driver may change it concurrently.
 */
final class SplitDescriptorChainReader {
    // §2.7.5: struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; }
    private static final long ADDR = 0;
    private static final long LEN = 8;
    private static final long FLAGS = 12;
    private static final long NEXT = 14;

    // Unaligned accesses, because an indirect table may begin at any address.
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment table;
    private final int size;
    private final VirtqueueAddressSpace memory;
    private final boolean indirectNegotiated;
    private final IndirectDescriptorTable indirect;

    SplitDescriptorChainReader(
            MemorySegment table, int size, VirtqueueAddressSpace memory, boolean indirectNegotiated) {
        this.table = table;
        this.size = size;
        this.memory = memory;
        this.indirectNegotiated = indirectNegotiated;
        this.indirect = new IndirectDescriptorTable(memory);
    }

    /** Collects the buffers of the chain that begins at {@code head}. Returns null, or the fault. */
    VirtqueueFault read(int head, ScatterGatherList buffers) {
        buffers.clear();
        if (head >= size) {
            return VirtqueueFault.HEAD_RANGE;
        }
        int limit = Math.min(size, ScatterGatherList.MAX_DESCRIPTORS);
        int index = head;
        for (int seen = 0; seen < limit; seen++) {
            long at = (long) index * VirtioConstants.DESCRIPTOR_BYTES;
            int flags = Short.toUnsignedInt(table.get(LE16, at + FLAGS));
            if ((flags & VirtioConstants.VIRTQ_DESC_F_INDIRECT) != 0) {
                return readIndirect(at, flags, buffers);
            }
            VirtqueueFault fault = buffers.addDescriptor(memory, table, at, flags);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioConstants.VIRTQ_DESC_F_NEXT) == 0) {
                return buffers.faultAtEnd();
            }
            index = Short.toUnsignedInt(table.get(LE16, at + NEXT));
            if (index >= size) {
                return VirtqueueFault.NEXT_RANGE;
            }
        }
        // VIRTIO 1.3 §2.7.5.3.1: a chain must not be longer than the Queue Size.
        return limit < size ? buffers.faultAtEnd() : VirtqueueFault.CHAIN_LOOP;
    }

    // VIRTIO 1.3 §2.7.5.3.2: the device MUST handle zero or more normal descriptors followed by an indirect descriptor,
    // and MUST ignore the write-only flag of the indirect descriptor.
    private VirtqueueFault readIndirect(long at, int flags, ScatterGatherList buffers) {
        if (!indirectNegotiated) {
            return VirtqueueFault.INDIRECT_NOT_NEGOTIATED;
        }
        if ((flags & VirtioConstants.VIRTQ_DESC_F_NEXT) != 0) {
            return VirtqueueFault.INDIRECT_AND_NEXT;
        }
        long address = table.get(LE64, at + ADDR);
        long length = Integer.toUnsignedLong(table.get(LE32, at + LEN));
        VirtqueueFault fault = indirect.locate(address, length);
        return fault != null ? fault : readIndirectTable(buffers);
    }

    private VirtqueueFault readIndirectTable(ScatterGatherList buffers) {
        int index = 0;
        for (int seen = 0; seen < indirect.readLimit(); seen++) {
            VirtqueueFault unreachable = indirect.seek(index);
            if (unreachable != null) {
                return unreachable;
            }
            MemorySegment segment = indirect.segment();
            long at = indirect.offset();
            int flags = Short.toUnsignedInt(segment.get(LE16, at + FLAGS));
            if ((flags & VirtioConstants.VIRTQ_DESC_F_INDIRECT) != 0) {
                return VirtqueueFault.INDIRECT_NESTED;
            }
            VirtqueueFault fault = buffers.addDescriptor(memory, segment, at, flags);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioConstants.VIRTQ_DESC_F_NEXT) == 0) {
                return buffers.faultAtEnd();
            }
            index = Short.toUnsignedInt(segment.get(LE16, at + NEXT));
            if (index >= indirect.count()) {
                return VirtqueueFault.NEXT_RANGE;
            }
        }
        return indirect.readLimit() < indirect.count() ? buffers.faultAtEnd() : VirtqueueFault.CHAIN_LOOP;
    }
}
