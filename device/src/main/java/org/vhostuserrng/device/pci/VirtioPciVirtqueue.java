package org.vhostuserrng.device.pci;

import java.util.Arrays;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** The fields of one virtqueue in the common configuration structure (VIRTIO 1.3 §4.1.4.3). */
final class VirtioPciVirtqueue {
    private final int maxSize;
    private int size;
    private int msixVector;
    private boolean enabled;
    private boolean started;
    /** Whether the driver has reset this virtqueue individually, and has not enabled it since. */
    private boolean reset;

    /** queue_desc, queue_driver and queue_device: the low and the high double word of each. */
    private final int[] areas = new int[6];

    VirtioPciVirtqueue(int maxSize) {
        this.maxSize = maxSize;
        reset();
    }

    /** Restores the default state of a virtqueue that is not started (VIRTIO 1.3 §2.6.1). */
    void reset() {
        size = maxSize;
        msixVector = VirtioPciConstants.VIRTIO_MSI_NO_VECTOR;
        enabled = false;
        reset = false;
        Arrays.fill(areas, 0);
    }

    int size() {
        return size;
    }

    /** Changes queue_size. An invalid size, or one for an enabled virtqueue, has no effect. */
    void setSize(int newSize, boolean packed) {
        // VIRTIO 1.3 §4.1.4.3.1: without VIRTIO_F_RING_PACKED, queue_size is a power of 2.
        boolean valid = newSize > 0 && newSize <= maxSize && (packed || Integer.bitCount(newSize) == 1);
        if (valid && !enabled) {
            size = newSize;
        }
    }

    int msixVector() {
        return msixVector;
    }

    void setMsixVector(int vector) {
        msixVector = vector;
    }

    boolean isEnabled() {
        return enabled;
    }

    void enable() {
        enabled = true;
        reset = false;
    }

    /** Whether the driver has reset this virtqueue by queue_reset, and has not enabled it since. */
    boolean isReset() {
        return reset;
    }

    void setReset() {
        reset = true;
    }

    /** Whether the host has started the virtqueue. */
    boolean isStarted() {
        return started;
    }

    void setStarted(boolean nowStarted) {
        started = nowStarted;
    }

    /** A double word of queue_desc (0 and 1), queue_driver (2 and 3) or queue_device (4 and 5). */
    int areaDword(int index) {
        return areas[index];
    }

    /** Changes a double word of an address. Has no effect on an enabled virtqueue. */
    void setAreaDword(int index, int value) {
        if (!enabled) {
            areas[index] = value;
        }
    }

    VirtqueueConfig.Areas areas() {
        return new VirtqueueConfig.Areas(area(0), area(2), area(4));
    }

    private long area(int low) {
        return Integer.toUnsignedLong(areas[low]) | (long) areas[low + 1] << Integer.SIZE;
    }
}
