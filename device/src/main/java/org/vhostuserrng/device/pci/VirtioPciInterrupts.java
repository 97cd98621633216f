package org.vhostuserrng.device.pci;

import org.vhostuserrng.transport.pci.PciFunctionHost;

/**
 * The notifications of the device to the driver (VIRTIO 1.3 §4.1.5.3, §4.1.5.4): MSI-X messages if MSI-X is enabled,
 * else the ISR status and INTx.
 */
final class VirtioPciInterrupts {
    private final PciFunctionHost host;
    private final MsixInterrupts msix;
    private int isr;
    private boolean intxPermitted;
    private boolean intxAsserted;

    VirtioPciInterrupts(PciFunctionHost host, MsixInterrupts msix) {
        this.host = host;
        this.msix = msix;
    }

    /** Sends a used buffer notification for a virtqueue with this MSI-X vector. Data path. */
    void usedBufferNotification(int msixVector) {
        if (msix.isEnabled()) {
            msix.send(msixVector);
        } else {
            // VIRTIO 1.3 §4.1.4.5.1: set the Queue Interrupt bit before sending the notification.
            isr |= VirtioPciConstants.ISR_QUEUE;
            updateIntx();
        }
    }

    /** Sends a configuration change notification with this MSI-X vector. */
    void configurationChangeNotification(int msixVector) {
        // VIRTIO 1.3 §4.1.4.5.1: set the Device Configuration Interrupt bit before sending it, also with MSI-X.
        isr |= VirtioPciConstants.ISR_DEVICE_CONFIGURATION;
        if (msix.isEnabled()) {
            msix.send(msixVector);
        }
        updateIntx();
    }

    /** Reads the ISR status, which clears it and deasserts INTx. */
    int readIsr() {
        int status = isr;
        // VIRTIO 1.3 §4.1.4.5.1: reset ISR status to 0 on driver read.
        isr = 0;
        updateIntx();
        return status;
    }

    /** The Interrupt Status bit of the PCI Status register. */
    boolean interruptStatus() {
        // VIRTIO 1.3 §4.1.4.5.1: if MSI-X is disabled, the logical OR of all bits in ISR status.
        return !msix.isEnabled() && isr != 0;
    }

    /**
     * Applies the function's configuration, after that of MSI-X.
     *
     * @param permitted whether the function may assert INTx: not disabled, and in power state D0
     */
    void configureIntx(boolean permitted) {
        intxPermitted = permitted;
        updateIntx();
    }

    /** Forgets all notifications, because the device has been reset. */
    void reset() {
        isr = 0;
        msix.clearPending();
        updateIntx();
    }

    private void updateIntx() {
        boolean assertIntx = interruptStatus() && intxPermitted;
        if (assertIntx != intxAsserted) {
            intxAsserted = assertIntx;
            host.setIntx(assertIntx);
        }
    }
}
