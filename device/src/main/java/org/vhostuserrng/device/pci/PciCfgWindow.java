package org.vhostuserrng.device.pci;

/**
 * The PCI configuration access capability (VIRTIO 1.3 §4.1.4.9): a window in configuration space, through which a
 * driver reaches the other virtio structures before the BARs are mapped.
 */
final class PciCfgWindow {
    private final VirtioPciConfigSpace config;
    private final PciRegisters structures;

    /**
     * Creates the window.
     *
     * @param config has the fields of the capability
     * @param structures the registers in {@link VirtioPciLayout#STRUCTURES_BAR}
     */
    PciCfgWindow(VirtioPciConfigSpace config, PciRegisters structures) {
        this.config = config;
        this.structures = structures;
    }

    /** The driver reads pci_cfg_data: fills it from the structure. */
    void read() {
        if (!isInStructures()) {
            return;
        }
        int first = config.pciCfgOffset() % Integer.BYTES;
        int length = config.pciCfgLength();
        int value = structures.read(config.pciCfgOffset() - first, ByteEnables.of(first, length));
        // VIRTIO 1.3 §4.1.4.9.1: store the first cap.length bytes in pci_cfg_data.
        config.setPciCfgData(
                ByteEnables.merge(config.pciCfgData(), value >>> (first * Byte.SIZE), ByteEnables.of(0, length)));
    }

    /** The driver has written pci_cfg_data: writes it to the structure. */
    void write() {
        if (!isInStructures()) {
            return;
        }
        int first = config.pciCfgOffset() % Integer.BYTES;
        // VIRTIO 1.3 §4.1.4.9.1: using the first cap.length bytes from pci_cfg_data.
        structures.write(
                config.pciCfgOffset() - first,
                config.pciCfgData() << (first * Byte.SIZE),
                ByteEnables.of(first, config.pciCfgLength()));
    }

    /** VIRTIO 1.3 §4.1.4.9.2: the driver must not access anything else; such an access has no effect. */
    private boolean isInStructures() {
        int length = config.pciCfgLength();
        return config.isD0()
                && config.pciCfgBar() == VirtioPciLayout.STRUCTURES_BAR
                && (length == 1 || length == 2 || length == Integer.BYTES)
                && config.pciCfgOffset() % length == 0
                && Integer.compareUnsigned(config.pciCfgOffset(), VirtioPciLayout.STRUCTURES_BAR_BYTES) < 0;
    }
}
