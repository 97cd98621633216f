package org.vhostuserrng.device.pci;

import org.vhostuserrng.transport.virtio.VirtioConstants;

/** The common configuration structure (VIRTIO 1.3 §4.1.4.3), with the device status (§2.1). */
final class VirtioPciCommonConfig implements PciRegisters {
    /** The bits that the driver can set. */
    private static final int DRIVER_STATUS_BITS = VirtioConstants.STATUS_ACKNOWLEDGE
            | VirtioConstants.STATUS_DRIVER
            | VirtioConstants.STATUS_DRIVER_OK
            | VirtioConstants.STATUS_FEATURES_OK
            | VirtioConstants.STATUS_FAILED;

    private final VirtioFeatureNegotiation features;
    private final VirtioPciVirtqueues virtqueues;
    private final VirtioPciInterrupts interrupts;
    private final int msixVectorCount;
    private int status;
    /** The last device status that was not 0. */
    private int statusBeforeReset;

    private int configMsixVector;
    private int queueSelect;

    VirtioPciCommonConfig(
            long offeredFeatures, VirtioPciVirtqueues virtqueues, VirtioPciInterrupts interrupts, int msixVectorCount) {
        features = new VirtioFeatureNegotiation(offeredFeatures);
        this.virtqueues = virtqueues;
        this.interrupts = interrupts;
        this.msixVectorCount = msixVectorCount;
        reset();
    }

    /** Resets the device (VIRTIO 1.3 §2.4): stops all virtqueues; all fields have their initial values. */
    void reset() {
        virtqueues.reset();
        interrupts.reset();
        features.reset();
        statusBeforeReset = status == VirtioConstants.STATUS_RESET ? statusBeforeReset : status;
        status = VirtioConstants.STATUS_RESET;
        configMsixVector = VirtioPciConstants.VIRTIO_MSI_NO_VECTOR;
        queueSelect = 0;
    }

    /** A virtqueue is broken: the device enters the error state in which it needs a reset. */
    void setNeedsReset() {
        if ((status & VirtioConstants.STATUS_DEVICE_NEEDS_RESET) != 0) {
            return;
        }
        status |= VirtioConstants.STATUS_DEVICE_NEEDS_RESET;
        virtqueues.forbidStart();
        // VIRTIO 1.3 §2.1.2: if DRIVER_OK is set, send a device configuration change notification.
        if ((status & VirtioConstants.STATUS_DRIVER_OK) != 0) {
            interrupts.configurationChangeNotification(configMsixVector);
        }
    }

    // --- access ----------------------------------------------------------------------------------------------------

    @Override
    public int read(int offset, int byteEnables) {
        int value = 0;
        if (offset < VirtioPciCommonConfigField.STRUCT_BYTES) {
            for (VirtioPciCommonConfigField field : VirtioPciCommonConfigField.inDword(offset)) {
                value |= read(field) << field.shift();
            }
        }
        return value;
    }

    @Override
    public void write(int offset, int value, int byteEnables) {
        if (offset >= VirtioPciCommonConfigField.STRUCT_BYTES) {
            return;
        }
        for (VirtioPciCommonConfigField field : VirtioPciCommonConfigField.inDword(offset)) {
            int fieldEnables = byteEnables & field.byteEnables();
            if (fieldEnables != 0) {
                int merged = ByteEnables.merge(read(field) << field.shift(), value, fieldEnables);
                write(field, (merged & ByteEnables.bits(field.byteEnables())) >>> field.shift());
            }
        }
    }

    private int read(VirtioPciCommonConfigField field) {
        return switch (field) {
            case DEVICE_FEATURE_SELECT -> features.deviceFeatureSelect();
            case DEVICE_FEATURE -> features.deviceFeature();
            case DRIVER_FEATURE_SELECT -> features.driverFeatureSelect();
            case DRIVER_FEATURE -> features.driverFeature();
            case CONFIG_MSIX_VECTOR -> configMsixVector;
            case NUM_QUEUES -> virtqueues.count();
            case DEVICE_STATUS -> readStatus();
            case QUEUE_SELECT -> queueSelect;
            // No device-specific configuration changes, so its generation does not change.
            case CONFIG_GENERATION -> 0;
            // Not negotiated: VIRTIO_F_NOTIF_CONFIG_DATA and VIRTIO_F_ADMIN_VQ.
            case QUEUE_NOTIF_CONFIG_DATA, ADMIN_QUEUE_INDEX, ADMIN_QUEUE_NUM -> 0;
            default -> readVirtqueue(field);
        };
    }

    private int readVirtqueue(VirtioPciCommonConfigField field) {
        VirtioPciVirtqueue virtqueue = virtqueues.at(queueSelect);
        if (virtqueue == null) {
            // VIRTIO 1.3 §4.1.4.3.1: queue_size is 0 if the virtqueue is unavailable.
            return field == VirtioPciCommonConfigField.QUEUE_MSIX_VECTOR ? VirtioPciConstants.VIRTIO_MSI_NO_VECTOR : 0;
        }
        return switch (field) {
            case QUEUE_SIZE -> virtqueue.size();
            case QUEUE_MSIX_VECTOR -> virtqueue.msixVector();
            case QUEUE_ENABLE -> virtqueue.isEnabled() ? 1 : 0;
            case QUEUE_NOTIFY_OFF -> queueSelect;
            // VIRTIO 1.3 §4.1.4.3.1: present 1 in queue_reset until the virtqueue is reset, then 0.
            case QUEUE_RESET -> virtqueue.isReset() && virtqueues.isMemoryWriteInFlight() ? 1 : 0;
            default -> virtqueue.areaDword(field.areaIndex());
        };
    }

    private void write(VirtioPciCommonConfigField field, int value) {
        switch (field) {
            case DEVICE_FEATURE_SELECT -> features.setDeviceFeatureSelect(value);
            case DRIVER_FEATURE_SELECT -> features.setDriverFeatureSelect(value);
            case DRIVER_FEATURE -> writeDriverFeature(value);
            case CONFIG_MSIX_VECTOR -> configMsixVector = mappedVector(value);
            case DEVICE_STATUS -> writeStatus(value);
            case QUEUE_SELECT -> queueSelect = value;
            case DEVICE_FEATURE, NUM_QUEUES, CONFIG_GENERATION, QUEUE_NOTIFY_OFF, QUEUE_NOTIF_CONFIG_DATA -> {
                // VIRTIO 1.3 §4.1.4.3.2: read-only for the driver.
            }
            case ADMIN_QUEUE_INDEX, ADMIN_QUEUE_NUM -> {
                // VIRTIO 1.3 §4.1.4.3.2: read-only for the driver.
            }
            default -> writeVirtqueue(field, value);
        }
    }

    private void writeVirtqueue(VirtioPciCommonConfigField field, int value) {
        VirtioPciVirtqueue virtqueue = virtqueues.at(queueSelect);
        if (virtqueue == null) {
            return;
        }
        switch (field) {
            case QUEUE_SIZE -> virtqueue.setSize(value, isNegotiated(VirtioConstants.VIRTIO_F_RING_PACKED));
            case QUEUE_MSIX_VECTOR -> virtqueue.setMsixVector(mappedVector(value));
            case QUEUE_ENABLE -> writeQueueEnable(value);
            case QUEUE_RESET -> writeQueueReset(value);
            default -> virtqueue.setAreaDword(field.areaIndex(), value);
        }
    }

    private void writeQueueEnable(int value) {
        // VIRTIO 1.3 §4.1.4.3.2: the driver must not write 0; nothing but a reset disables a virtqueue.
        if (value == 1) {
            virtqueues.enable(queueSelect);
        }
    }

    private void writeQueueReset(int value) {
        // VIRTIO 1.3 §4.1.4.3.1: reset the virtqueue when 1 is written; the field exists if VIRTIO_F_RING_RESET has
        // been
        // negotiated.
        if (value == 1 && isNegotiated(VirtioConstants.VIRTIO_F_RING_RESET)) {
            virtqueues.reset(queueSelect);
        }
    }

    private int mappedVector(int vector) {
        // VIRTIO 1.3 §4.1.5.1.2.1: report a mapping failure by NO_VECTOR.
        return vector < msixVectorCount ? vector : VirtioPciConstants.VIRTIO_MSI_NO_VECTOR;
    }

    // --- device status ---------------------------------------------------------------------------------------------

    private void writeDriverFeature(int value) {
        // VIRTIO 1.3 §3.1.1: the driver must not accept new feature bits after FEATURES_OK.
        if ((status & VirtioConstants.STATUS_FEATURES_OK) == 0) {
            features.setDriverFeature(value);
        }
    }

    private int readStatus() {
        // VIRTIO 1.3 §4.1.4.3.1: present 0 only when the reset is done, after which the driver may reuse the memory of
        // the virtqueues.
        boolean resetting = status == VirtioConstants.STATUS_RESET && virtqueues.isMemoryWriteInFlight();
        return resetting ? statusBeforeReset : status;
    }

    private void writeStatus(int value) {
        if (value == VirtioConstants.STATUS_RESET) {
            // VIRTIO 1.3 §4.1.4.3.1: reset when 0 is written, and present 0 once that is done.
            reset();
            return;
        }
        int before = status;
        // VIRTIO 1.3 §2.1.1: the driver must not clear a bit; clearing one has no effect.
        status |= value & DRIVER_STATUS_BITS;
        if (isNewlySet(VirtioConstants.STATUS_FEATURES_OK, before) && !features.isAcceptable()) {
            // VIRTIO 1.3 §2.2.2: fail to set FEATURES_OK.
            status &= ~VirtioConstants.STATUS_FEATURES_OK;
        }
        if ((status & VirtioConstants.STATUS_FEATURES_OK) == 0) {
            // VIRTIO 1.3 §3.1.1: without FEATURES_OK, the device is unusable.
            status &= ~VirtioConstants.STATUS_DRIVER_OK;
        }
        applyStatus(before);
    }

    private void applyStatus(int before) {
        if ((status & VirtioConstants.STATUS_FAILED) != 0) {
            // The driver has given up on the device, and may use the memory of the virtqueues for something else.
            virtqueues.stop();
        } else if (isNewlySet(VirtioConstants.STATUS_DRIVER_OK, before)) {
            virtqueues.start(features.accepted());
        }
    }

    private boolean isNewlySet(int bit, int before) {
        return (status & ~before & bit) != 0;
    }

    private boolean isNegotiated(long feature) {
        return (status & VirtioConstants.STATUS_FEATURES_OK) != 0 && (features.accepted() & feature) != 0;
    }
}
