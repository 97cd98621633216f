package org.vhostuserrng.device.pci;

/**
 * The BAR with the structures (VIRTIO 1.3 §4.1.4): common configuration, ISR status, notification. The rest of each
 * page is padding, which reads 0 and ignores writes.
 */
final class VirtioPciStructures implements PciRegisters {
    private static final int OFFSET_BITS = VirtioPciLayout.STRUCTURE_BYTES - 1;
    /** The 16 bits of the virtqueue index. */
    private static final int QUEUE_NOTIFY_BYTE_ENABLES = 0x3;

    private final VirtioPciCommonConfig commonConfig;
    private final VirtioPciInterrupts interrupts;
    private final VirtioPciVirtqueues virtqueues;

    VirtioPciStructures(
            VirtioPciCommonConfig commonConfig, VirtioPciInterrupts interrupts, VirtioPciVirtqueues virtqueues) {
        this.commonConfig = commonConfig;
        this.interrupts = interrupts;
        this.virtqueues = virtqueues;
    }

    @Override
    public int read(int offset, int byteEnables) {
        return switch (offset & ~OFFSET_BITS) {
            case VirtioPciLayout.COMMON_CFG_OFFSET -> commonConfig.read(offset & OFFSET_BITS, byteEnables);
            case VirtioPciLayout.ISR_CFG_OFFSET -> readIsr(offset & OFFSET_BITS, byteEnables);
            default -> 0;
        };
    }

    @Override
    public void write(int offset, int value, int byteEnables) {
        switch (offset & ~OFFSET_BITS) {
            case VirtioPciLayout.COMMON_CFG_OFFSET -> commonConfig.write(offset & OFFSET_BITS, value, byteEnables);
            case VirtioPciLayout.NOTIFY_CFG_OFFSET -> notify(offset & OFFSET_BITS, byteEnables);
            default -> {
                // Read-only or padding.
            }
        }
    }

    private int readIsr(int offset, int byteEnables) {
        // VIRTIO 1.3 §4.1.4.5: the ISR status is a single byte.
        return offset == 0 && (byteEnables & 1) != 0 ? interrupts.readIsr() : 0;
    }

    /**
     * VIRTIO 1.3 §4.1.5.2: the driver writes the virtqueue's index to its Queue Notify address, and with
     * VIRTIO_F_NOTIFICATION_DATA the position up to which buffers are available. The address tells both the same; the
     * position is a hint, and the virtqueue itself is read anyway. Data path.
     */
    private void notify(int offset, int byteEnables) {
        int queue = offset / VirtioPciLayout.NOTIFY_OFF_MULTIPLIER;
        if (queue < virtqueues.count() && (byteEnables & QUEUE_NOTIFY_BYTE_ENABLES) == QUEUE_NOTIFY_BYTE_ENABLES) {
            virtqueues.availableBufferNotification(queue);
        }
    }
}
