package org.vhostuserrng.device.virtqueue;

import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * What a driver can do wrong with a virtqueue, so that the ring is broken until it is reset; and what keeps a buffer from
 * being used for now.
 */
public enum VirtqueueFault {
    INDEX_JUMP("available index ahead by more than the queue size"),
    HEAD_RANGE("head of a chain outside the descriptor table"),
    NEXT_RANGE("next descriptor outside its table"),
    CHAIN_LOOP("descriptor chain longer than its table or ring"),
    CHAIN_UNAVAILABLE("descriptor chain goes on with a descriptor that is not available"),
    DEVICE_READABLE("device-readable buffer"),
    NO_ROOM("chain without a writable byte"),
    BUFFER_RANGE("buffer outside guest memory"),
    INDIRECT_NOT_NEGOTIATED("indirect descriptor without VIRTIO_F_INDIRECT_DESC"),
    INDIRECT_NESTED("indirect descriptor inside an indirect table"),
    INDIRECT_AND_NEXT("indirect descriptor with a next one"),
    INDIRECT_IN_CHAIN("indirect descriptor in a chain of others"),
    INDIRECT_LENGTH("indirect table whose length is no multiple of 16, zero, or beyond 32768 descriptors"),
    INDIRECT_RANGE("indirect table outside guest memory"),
    ACCESS_DENIED("buffer or indirect table where the IOMMU does not let the device"),
    /** No fault: where the IOMMU maps it is not known yet. The buffer stays available. */
    TRANSLATION_MISSING("translation by the IOMMU not known yet"),
    MEMORY_GONE("guest memory vanished while it was filled");

    private final String text;

    VirtqueueFault(String text) {
        this.text = text;
    }

    /** What it means that {@link VirtqueueAddressSpace#translate} found nothing to use. */
    public static VirtqueueFault ofTranslation(int refusal) {
        return refusal == VirtqueueAddressSpace.DENIED ? ACCESS_DENIED : TRANSLATION_MISSING;
    }

    @Override
    public String toString() {
        return text;
    }
}
