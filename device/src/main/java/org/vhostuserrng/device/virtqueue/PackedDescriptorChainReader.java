package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.PackedInflightTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * Reads a descriptor chain from the ring of a packed virtqueue, or from its indirect table, and collects its buffers.
 * Reads every field only once, because the driver may change it concurrently.
 */
final class PackedDescriptorChainReader {
    // Unaligned accesses, because an indirect table may begin at any address.
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment ring;
    private final int size;
    private final VirtqueueAddressSpace memory;
    private final boolean indirectNegotiated;
    private final IndirectDescriptorTable indirect;
    private int bufferId;
    private int length;

    PackedDescriptorChainReader(
            MemorySegment ring, int size, VirtqueueAddressSpace memory, boolean indirectNegotiated) {
        this.ring = ring;
        this.size = size;
        this.memory = memory;
        this.indirectNegotiated = indirectNegotiated;
        this.indirect = new IndirectDescriptorTable(memory);
    }

    /**
     * Collects the buffers of the next resubmitted chain. The "ring" of this reader must be memory for one descriptor,
     * into which the descriptors of the chain are copied one after the other.
     *
     * @return null, or the fault
     */
    VirtqueueFault readResubmitted(PackedInflightTracker inflight, ScatterGatherList buffers) {
        buffers.clear();
        int descriptors = inflight.resubmittedLength();
        int entry = inflight.resubmittedEntry();
        for (int seen = 1; seen <= descriptors; seen++) {
            entry = inflight.copyResubmitted(entry, ring);
            VirtqueueFault fault = add(0, flagsAt(0), seen, buffers);
            if (fault != null) {
                return fault;
            }
        }
        return descriptors == 0 ? VirtqueueFault.INFLIGHT_CHANGED : end(0, descriptors, buffers);
    }

    /**
     * Collects the buffers of the chain that begins at {@code first}.
     *
     * @param first index of the first descriptor in the ring
     * @param firstWrapCounter the wrap counter at {@code first}
     * @param firstFlags the flags of the first descriptor, with which it was found to be available
     * @param maxLength the maximum number of descriptors that the driver can have made available, at least 1
     * @return null, or the fault
     */
    VirtqueueFault read(int first, boolean firstWrapCounter, int firstFlags, int maxLength, ScatterGatherList buffers) {
        buffers.clear();
        int index = first;
        boolean wrapCounter = firstWrapCounter;
        int flags = firstFlags;
        for (int seen = 1; ; seen++) {
            long at = (long) index * VirtioConstants.DESCRIPTOR_BYTES;
            VirtqueueFault fault = add(at, flags, seen, buffers);
            if (fault != null) {
                return fault;
            }
            if ((flags & VirtioConstants.VIRTQ_DESC_F_NEXT) == 0) {
                return end(at, seen, buffers);
            }
            // VIRTIO 1.3 §2.8.17: a chain must not be longer than the Queue Size.
            if (seen == maxLength) {
                return VirtqueueFault.CHAIN_LOOP;
            }
            index++;
            if (index == size) {
                index = 0;
                wrapCounter = !wrapCounter;
            }
            flags = flagsAt(index);
            // VIRTIO 1.3 §2.8.15: the device MUST NOT use a descriptor unless it observes the AVAIL bit in its flags
            // being changed.
            if (!VirtioConstants.isPackedAvailable(flags, wrapCounter)) {
                return VirtqueueFault.CHAIN_UNAVAILABLE;
            }
        }
    }

    private VirtqueueFault add(long at, int flags, int seen, ScatterGatherList buffers) {
        return (flags & VirtioConstants.VIRTQ_DESC_F_INDIRECT) != 0
                ? readIndirect(at, flags, seen, buffers)
                : buffers.addDescriptor(memory, ring, at, flags);
    }

    private int flagsAt(int index) {
        long at = (long) index * VirtioConstants.DESCRIPTOR_BYTES + VirtioConstants.PVIRTQ_DESC_FLAGS;
        return Short.toUnsignedInt(ring.get(LE16, at));
    }

    private VirtqueueFault end(long at, int descriptors, ScatterGatherList buffers) {
        // VIRTIO 1.3 §2.8.6: the last descriptor of a chain contains the Buffer ID.
        bufferId = Short.toUnsignedInt(ring.get(LE16, at + VirtioConstants.PVIRTQ_DESC_ID));
        length = descriptors;
        return buffers.faultAtEnd();
    }

    // VIRTIO 1.3 §2.8.7: the device ignores VIRTQ_DESC_F_WRITE in an indirect descriptor.
    private VirtqueueFault readIndirect(long at, int flags, int seen, ScatterGatherList buffers) {
        if (!indirectNegotiated) {
            return VirtqueueFault.INDIRECT_NOT_NEGOTIATED;
        }
        // VIRTIO 1.3 §2.8.19: the driver must not chain an indirect descriptor with other descriptors.
        if ((flags & VirtioConstants.VIRTQ_DESC_F_NEXT) != 0) {
            return VirtqueueFault.INDIRECT_AND_NEXT;
        }
        if (seen > 1) {
            return VirtqueueFault.INDIRECT_IN_CHAIN;
        }
        long address = ring.get(LE64, at + VirtioConstants.PVIRTQ_DESC_ADDR);
        long bytes = Integer.toUnsignedLong(ring.get(LE32, at + VirtioConstants.PVIRTQ_DESC_LEN));
        VirtqueueFault fault = indirect.locate(address, bytes);
        return fault != null ? fault : readIndirectTable(buffers);
    }

    // VIRTIO 1.3 §2.8.7: the descriptors of a table are consecutive, and the device ignores all their flags except
    // VIRTQ_DESC_F_WRITE. So a table cannot be nested or circular.
    private VirtqueueFault readIndirectTable(ScatterGatherList buffers) {
        for (int i = 0; i < indirect.readLimit(); i++) {
            VirtqueueFault unreachable = indirect.seek(i);
            if (unreachable != null) {
                return unreachable;
            }
            MemorySegment segment = indirect.segment();
            long at = indirect.offset();
            int flags = Short.toUnsignedInt(segment.get(LE16, at + VirtioConstants.PVIRTQ_DESC_FLAGS));
            VirtqueueFault fault = buffers.addDescriptor(memory, segment, at, flags);
            if (fault != null) {
                return fault;
            }
        }
        return null;
    }

    /** The Buffer ID of the last chain. */
    int bufferId() {
        return bufferId;
    }

    /** The number of ring descriptors of the last chain. */
    int length() {
        return length;
    }
}
