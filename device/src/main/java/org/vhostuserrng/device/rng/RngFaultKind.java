package org.vhostuserrng.device.rng;

import org.vhostuserrng.device.virtqueue.VirtqueueFault;

/** The kinds of faults, each with its own counter. */
enum RngFaultKind {
    /** Invalid indices of the ring, or an invalid record of in-flight requests. */
    RING(GuestCounterField.FAULTS_RING),
    /** An invalid descriptor or descriptor chain. */
    DESCRIPTOR(GuestCounterField.FAULTS_DESCRIPTOR),
    /** An address that is not in guest memory, or to which the IOMMU denies access. */
    ADDRESS(GuestCounterField.FAULTS_ADDRESS),
    /** Guest memory has vanished. */
    MEMORY(GuestCounterField.FAULTS_MEMORY);

    private final GuestCounterField field;

    RngFaultKind(GuestCounterField field) {
        this.field = field;
    }

    static RngFaultKind of(VirtqueueFault fault) {
        return switch (fault) {
            case INDEX_JUMP, HEAD_RANGE, INFLIGHT_CHANGED -> RING;
            case NEXT_RANGE,
                    CHAIN_LOOP,
                    CHAIN_UNAVAILABLE,
                    DEVICE_READABLE,
                    NO_WRITABLE_BYTES,
                    INDIRECT_NOT_NEGOTIATED,
                    INDIRECT_NESTED,
                    INDIRECT_AND_NEXT,
                    INDIRECT_IN_CHAIN,
                    INDIRECT_LENGTH -> DESCRIPTOR;
            case BUFFER_RANGE,
                    INDIRECT_RANGE,
                    BUFFER_INACCESSIBLE,
                    INDIRECT_INACCESSIBLE,
                    ACCESS_DENIED,
                    IOTLB_MISS,
                    HUGE_PAGE_MISS -> ADDRESS;
            case MEMORY_GONE -> MEMORY;
        };
    }

    /** The index of the counter field of this kind. */
    int field() {
        return field.index();
    }
}
