package org.vhostuserrng.device.rng;

import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The optional feature bits (VIRTIO 1.3 §6) that an entropy device offers. They are optional because some VMMs offer
 * all of them to the guest's driver, which then uses another virtqueue format.
 *
 * @param packed whether to offer VIRTIO_F_RING_PACKED; the driver may always use split virtqueues
 * @param inOrder whether to offer VIRTIO_F_IN_ORDER; the device uses buffers in order in any case
 */
public record RngDeviceFeatures(boolean packed, boolean inOrder) {
    /** Only split virtqueues, without VIRTIO_F_IN_ORDER. */
    public static final RngDeviceFeatures DEFAULT = new RngDeviceFeatures(false, false);

    // Always offered. VIRTIO_F_ORDER_PLATFORM (§6.1) costs nothing, because the device uses memory fences anyway.
    private static final long MANDATORY_BITS = VirtioConstants.VIRTIO_F_VERSION_1
            | VirtioConstants.VIRTIO_F_INDIRECT_DESC
            | VirtioConstants.VIRTIO_F_EVENT_IDX
            | VirtioConstants.VIRTIO_F_ORDER_PLATFORM;

    long bits() {
        return MANDATORY_BITS
                | (packed ? VirtioConstants.VIRTIO_F_RING_PACKED : 0)
                | (inOrder ? VirtioConstants.VIRTIO_F_IN_ORDER : 0);
    }
}
