package org.vhostuserrng.device.rng;

import org.vhostuserrng.device.virtqueue.VirtioSpec;

/**
 * Which feature bits (VIRTIO 1.3 §6) an entropy device offers. Some VMMs hand the guest's driver whatever is offered,
 * so that this alone decides about the format of the virtqueue.
 *
 * @param packed VIRTIO_F_RING_PACKED, besides the split virtqueue
 * @param inOrder VIRTIO_F_IN_ORDER: buffers are used in the order in which they are available, which holds anyway
 */
public record RngDeviceFeatures(boolean packed, boolean inOrder) {
    /** Split virtqueues only, without a promise of order. */
    public static final RngDeviceFeatures DEFAULT = new RngDeviceFeatures(false, false);

    // §6.1: VIRTIO_F_ORDER_PLATFORM costs nothing, as the fences are those between processors.
    private static final long ALWAYS = VirtioSpec.VIRTIO_F_VERSION_1
            | VirtioSpec.VIRTIO_F_INDIRECT_DESC
            | VirtioSpec.VIRTIO_F_EVENT_IDX
            | VirtioSpec.VIRTIO_F_ORDER_PLATFORM;

    long bits() {
        return ALWAYS | (packed ? VirtioSpec.VIRTIO_F_RING_PACKED : 0) | (inOrder ? VirtioSpec.VIRTIO_F_IN_ORDER : 0);
    }
}
