package org.vhostuserrng.device.virtqueue;

import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * The reason why a buffer cannot be used: a violation of VIRTIO by the driver, or a fault of the front-end. It breaks
 * the virtqueue, except for {@link #IOTLB_MISS} and {@link #HUGE_PAGE_MISS}, after which the buffer stays available
 * until the IOTLB entry, the huge page or the copy arrives.
 */
public enum VirtqueueFault {
    INDEX_JUMP("available index is ahead by more than the queue size"),
    HEAD_RANGE("head of a chain is outside the descriptor table"),
    NEXT_RANGE("next descriptor is outside its table"),
    CHAIN_LOOP("descriptor chain is longer than its table or ring"),
    CHAIN_UNAVAILABLE("descriptor chain continues with a descriptor that is not available"),
    DEVICE_READABLE("buffer is device-readable"),
    NO_WRITABLE_BYTES("descriptor chain has no writable byte"),
    BUFFER_RANGE("buffer is outside guest memory"),
    INDIRECT_NOT_NEGOTIATED("indirect descriptor without VIRTIO_F_INDIRECT_DESC"),
    INDIRECT_NESTED("indirect descriptor inside an indirect table"),
    INDIRECT_AND_NEXT("indirect descriptor has VIRTQ_DESC_F_NEXT"),
    INDIRECT_IN_CHAIN("indirect descriptor in a chain of other descriptors"),
    INDIRECT_LENGTH("length of an indirect table is zero, no multiple of 16, or beyond 32768 descriptors"),
    INDIRECT_RANGE("indirect table is outside guest memory"),
    BUFFER_INACCESSIBLE("buffer is in a memory region that is not accessible"),
    INDIRECT_INACCESSIBLE("indirect table is in a memory region that is not accessible"),
    ACCESS_DENIED("IOMMU denies access to a buffer or an indirect table"),
    IOTLB_MISS("IOTLB has no entry for a buffer or an indirect table"),
    HUGE_PAGE_MISS("a huge page or a copy of a buffer or an indirect table is missing"),
    INFLIGHT_CHANGED("front-end changed the inflight region"),
    MEMORY_GONE("guest memory vanished while it was written");

    private final String text;

    VirtqueueFault(String text) {
        this.text = text;
    }

    /** Returns the fault for a negative result of {@link VirtqueueAddressSpace#translate}. */
    static VirtqueueFault ofTranslation(int result) {
        return result == VirtqueueAddressSpace.DENIED ? ACCESS_DENIED : IOTLB_MISS;
    }

    /** Returns the fault for a buffer with a byte at a guest-physical address outside mapped memory. */
    static VirtqueueFault ofBuffer(VirtqueueAddressSpace memory, long guestAddress) {
        return memory.failOutside(guestAddress) ? BUFFER_INACCESSIBLE : BUFFER_RANGE;
    }

    /** Returns the fault for an indirect table with a byte at a guest-physical address outside mapped memory. */
    static VirtqueueFault ofIndirectTable(VirtqueueAddressSpace memory, long guestAddress) {
        return memory.failOutside(guestAddress) ? INDIRECT_INACCESSIBLE : INDIRECT_RANGE;
    }

    /** Describes the fault for a log line, with the address if this is outside mapped memory. */
    public String describe(VirtqueueAddressSpace memory) {
        return switch (this) {
            case BUFFER_RANGE, BUFFER_INACCESSIBLE, INDIRECT_RANGE, INDIRECT_INACCESSIBLE ->
                text + ": " + memory.describeOutside();
            default -> text;
        };
    }

    @Override
    public String toString() {
        return text;
    }
}
