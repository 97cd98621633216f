package org.vhostuserrng.device.pci;

/** Constants of VIRTIO 1.3 §4.1 Virtio Over PCI Bus, with the names of the specification. */
final class VirtioPciConstants {
    // §4.1.2 PCI Device Discovery: the PCI Device ID is this plus the Virtio Device ID.
    static final int VENDOR_ID = 0x1af4;
    static final int DEVICE_ID_BASE = 0x1040;

    // §4.1.2.1: at least 1, and at least 0x40.
    static final int REVISION_ID = 1;
    static final int SUBSYSTEM_DEVICE_ID = 0x1100;

    // §4.1.4: struct virtio_pci_cap { u8 cap_vndr, cap_next, cap_len, cfg_type, bar, id, padding[2]; le32 offset,
    // length; }
    static final int CAP_LEN = 2;
    static final int CAP_CFG_TYPE = 3;
    static final int CAP_BAR = 4;
    static final int CAP_OFFSET = 8;
    static final int CAP_LENGTH = 12;
    static final int CAP_BYTES = 16;

    static final int VIRTIO_PCI_CAP_COMMON_CFG = 1;
    static final int VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
    static final int VIRTIO_PCI_CAP_ISR_CFG = 3;
    static final int VIRTIO_PCI_CAP_PCI_CFG = 5;

    // §4.1.4.4: struct virtio_pci_notify_cap { struct virtio_pci_cap cap; le32 notify_off_multiplier; }
    static final int NOTIFY_CAP_OFF_MULTIPLIER = 16;
    static final int NOTIFY_CAP_BYTES = 20;

    // §4.1.4.9: struct virtio_pci_cfg_cap { struct virtio_pci_cap cap; u8 pci_cfg_data[4]; }
    static final int CFG_CAP_PCI_CFG_DATA = 16;
    static final int CFG_CAP_BYTES = 20;

    // §4.1.4.5 ISR status capability
    static final int ISR_QUEUE = 1;
    static final int ISR_DEVICE_CONFIGURATION = 2;

    // §4.1.5.1.2 MSI-X Vector Configuration
    static final int VIRTIO_MSI_NO_VECTOR = 0xffff;

    private VirtioPciConstants() {}
}
