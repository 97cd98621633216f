package org.vhostuserrng.device.rng;

import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The optional feature bits (VIRTIO 1.3 §6) that an entropy device offers. Some VMMs pass all offered bits to the
 * guest's driver, which then chooses the format of the virtqueue based on these bits only.
 *
 * @param packed offer VIRTIO_F_RING_PACKED; the split format is always offered
 * @param inOrder offer VIRTIO_F_IN_ORDER; the device uses buffers in order in any case
 */
public record RngDeviceFeatures(boolean packed, boolean inOrder) {
    /** Split virtqueues only, without VIRTIO_F_IN_ORDER. */
    public static final RngDeviceFeatures DEFAULT = new RngDeviceFeatures(false, false);

    // §6.1: VIRTIO_F_ORDER_PLATFORM costs nothing, because the device uses SMP fences anyway.
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
