package org.vhostuserrng.transport.pci;

import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** Everything outside a PCI function that the function acts on. Confined to the loop's thread. */
public interface PciFunctionHost {
    /**
     * Starts a virtqueue in guest memory. A virtqueue that cannot start is reported by
     * {@link PciFunction#virtqueueBroken}, during this call or later.
     *
     * @param queue index of the virtqueue
     * @param size Queue Size, validated by the function as far as PCI requires it
     * @param features the features that the driver accepted
     * @param areas guest-physical addresses of the virtqueue
     */
    void startVirtqueue(int queue, int size, long features, VirtqueueConfig.Areas areas);

    /**
     * Stops a virtqueue that was started, also a broken one. When this method returns, the virtqueue no longer accesses
     * guest memory, except for a write that {@link #isMemoryWriteInFlight} reports.
     */
    void stopVirtqueue(int queue);

    /**
     * Whether a write to guest memory, which a virtqueue began before it was stopped, may still take place. Until the
     * VMM has completed it, the driver must not reuse the memory.
     */
    default boolean isMemoryWriteInFlight() {
        return false;
    }

    /** The driver has made buffers available in a virtqueue. Has no effect on one that is not started. Data path. */
    void availableBufferNotification(int queue);

    /**
     * Changes whether the function is a bus master: Bus Master Enable is set and the power state is D0. Initially it is
     * not. While it is not, a started virtqueue must not access guest memory; later it continues at its position. The
     * function starts and notifies virtqueues only while it is a bus master.
     */
    default void setBusMaster(boolean busMaster) {}

    /**
     * Sends an MSI-X message, which the function's own registers do not mask. A VMM that emulates the MSI-X table may
     * mask it elsewhere. Data path.
     */
    void triggerMsix(int vector);

    /** Sets the level of the INTx interrupt pin. */
    void setIntx(boolean asserted);
}
