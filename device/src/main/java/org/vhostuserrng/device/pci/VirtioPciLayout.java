package org.vhostuserrng.device.pci;

/**
 * Where the function's registers are: in the BARs and at the offsets that QEMU's virtio-rng-pci has. The structures in
 * {@link #STRUCTURES_BAR} have a page each; the third page is empty, because an entropy device has no device-specific
 * configuration (VIRTIO 1.3 §5.4.4).
 */
final class VirtioPciLayout {
    static final int MSIX_BAR = 1;
    static final int MSIX_BAR_BYTES = 0x1000;
    static final int MSIX_TABLE_OFFSET = 0;
    static final int MSIX_PBA_OFFSET = 0x800;
    /** The number of table entries before the PBA. */
    static final int MAX_MSIX_VECTORS = (MSIX_PBA_OFFSET - MSIX_TABLE_OFFSET) / PciConstants.PCI_MSIX_ENTRY_SIZE;

    /** A 64-bit BAR; it occupies two base address registers. */
    static final int STRUCTURES_BAR = 4;

    static final int STRUCTURES_BAR_BYTES = 0x4000;
    static final int STRUCTURE_BYTES = 0x1000;
    static final int COMMON_CFG_OFFSET = 0;
    static final int ISR_CFG_OFFSET = 0x1000;
    static final int NOTIFY_CFG_OFFSET = 0x3000;

    // VIRTIO 1.3 §4.1.4.4.1: a power of 2 and a multiple of 4.
    static final int NOTIFY_OFF_MULTIPLIER = 4;

    private VirtioPciLayout() {}
}
