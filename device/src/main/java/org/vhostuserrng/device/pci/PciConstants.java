package org.vhostuserrng.device.pci;

/**
 * Constants of PCI Local Bus 3.0 (PCI), PCI Express Base 5.0 (PCIe) and PCI Bus Power Management Interface 1.2 (PM).
 * These documents name registers and bits, but no constants; the names are those of Linux's pci_regs.h. Registers that
 * this function does not have are not listed.
 */
final class PciConstants {
    // PCIe §7.2: 256 bytes as in PCI, then the PCI Express Extended Configuration Space.
    static final int PCI_CFG_SPACE_SIZE = 256;
    static final int PCI_CFG_SPACE_EXP_SIZE = 4096;

    // PCI §6.1, PCIe §7.5.1: offsets in the Type 0 Configuration Space Header.
    static final int PCI_VENDOR_ID = 0x00;
    static final int PCI_DEVICE_ID = 0x02;
    static final int PCI_COMMAND = 0x04;
    static final int PCI_STATUS = 0x06;
    static final int PCI_CLASS_REVISION = 0x08;
    static final int PCI_CACHE_LINE_SIZE = 0x0c;
    static final int PCI_BASE_ADDRESS_0 = 0x10;
    static final int PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
    static final int PCI_SUBSYSTEM_ID = 0x2e;
    static final int PCI_CAPABILITY_LIST = 0x34;
    static final int PCI_INTERRUPT_LINE = 0x3c;
    static final int PCI_INTERRUPT_PIN = 0x3d;

    // PCI §6.2.2 Device Control: bits of the Command register.
    static final int PCI_COMMAND_MEMORY = 1 << 1;
    static final int PCI_COMMAND_MASTER = 1 << 2;
    static final int PCI_COMMAND_PARITY = 1 << 6;
    static final int PCI_COMMAND_SERR = 1 << 8;
    static final int PCI_COMMAND_INTX_DISABLE = 1 << 10;

    // PCI §6.2.3 Device Status: bits of the Status register.
    static final int PCI_STATUS_INTERRUPT = 1 << 3;
    static final int PCI_STATUS_CAP_LIST = 1 << 4;

    // PCI §6.2.5.1 Address Maps: the read-only bits of a base address register.
    static final int PCI_BASE_ADDRESS_MEM_TYPE_32 = 0;
    static final int PCI_BASE_ADDRESS_MEM_TYPE_64 = 1 << 2;
    static final int PCI_BASE_ADDRESS_MEM_PREFETCH = 1 << 3;
    static final int PCI_BASE_ADDRESS_BYTES = 4;

    // PCI §6.2.4: value of the Interrupt Pin register.
    static final int PCI_INTERRUPT_PIN_INTA = 1;

    // PCI §6.7 Capabilities List
    static final int PCI_CAP_LIST_ID = 0;
    static final int PCI_CAP_LIST_NEXT = 1;
    static final int PCI_CAP_ID_PM = 0x01;
    static final int PCI_CAP_ID_VNDR = 0x09;
    static final int PCI_CAP_ID_EXP = 0x10;
    static final int PCI_CAP_ID_MSIX = 0x11;

    // PM §3.2: offsets in the Power Management Register Block.
    static final int PCI_PM_PMC = 2;
    static final int PCI_PM_CTRL = 4;

    // PM §3.2.3, §3.2.4: no D1, no D2, no PME#; D3hot keeps the function's state.
    static final int PCI_PM_CAP_VER_1_2 = 3;
    static final int PCI_PM_CTRL_STATE_MASK = 3;
    static final int PCI_PM_CTRL_STATE_D0 = 0;
    static final int PCI_PM_CTRL_STATE_D3HOT = 3;
    static final int PCI_PM_CTRL_NO_SOFT_RESET = 1 << 3;

    // PCIe §7.5.3: offsets in the PCI Express Capability.
    static final int PCI_EXP_FLAGS = 0x02;
    static final int PCI_EXP_DEVCAP = 0x04;
    static final int PCI_EXP_DEVCTL = 0x08;
    static final int PCI_EXP_LNKCAP = 0x0c;
    static final int PCI_EXP_LNKCTL = 0x10;
    static final int PCI_EXP_LNKSTA = 0x12;
    static final int PCI_EXP_DEVCAP2 = 0x24;
    static final int PCI_EXP_DEVCTL2 = 0x28;

    // PCIe §7.5.3.2: capability version 2, Device/Port Type PCI Express Endpoint.
    static final int PCI_EXP_FLAGS_VERSION_2_ENDPOINT = 0x0002;

    // PCIe §7.5.3.3, §7.5.3.4
    static final int PCI_EXP_DEVCAP_RBER = 1 << 15;
    static final int PCI_EXP_DEVCAP_FLR = 1 << 28;
    static final int PCI_EXP_DEVCTL_ERROR_REPORTING = 0xf;
    static final int PCI_EXP_DEVCTL_FLR = 1 << 15;

    // PCIe §7.5.3.6 to §7.5.3.8: 2.5 GT/s, x1, ASPM L0s.
    static final int PCI_EXP_LNKCAP_SLS_2_5GB = 1;
    static final int PCI_EXP_LNKCAP_MLW_X1 = 1 << 4;
    static final int PCI_EXP_LNKCAP_ASPM_L0S = 1 << 10;
    static final int PCI_EXP_LNKCTL_ASPMC = 3;
    static final int PCI_EXP_LNKCTL_CCC = 1 << 6;
    static final int PCI_EXP_LNKCTL_ES = 1 << 7;
    static final int PCI_EXP_LNKSTA_CLS_2_5GB = 1;
    static final int PCI_EXP_LNKSTA_NLW_X1 = 1 << 4;

    // PCIe §7.5.3.15, §7.5.3.16
    static final int PCI_EXP_DEVCAP2_EXT_FMT = 1 << 20;
    static final int PCI_EXP_DEVCAP2_EE_PREFIX = 1 << 21;
    static final int PCI_EXP_DEVCTL2_EE_PREFIX_BLOCK = 1 << 15;

    // PCI §6.8.2: offsets in the MSI-X Capability Structure, and its Message Control register.
    static final int PCI_MSIX_FLAGS = 2;
    static final int PCI_MSIX_TABLE = 4;
    static final int PCI_MSIX_PBA = 8;
    static final int PCI_MSIX_FLAGS_MASKALL = 1 << 14;
    static final int PCI_MSIX_FLAGS_ENABLE = 1 << 15;

    // PCI §6.8.2: an MSI-X Table entry.
    static final int PCI_MSIX_ENTRY_SIZE = 16;
    static final int PCI_MSIX_ENTRY_VECTOR_CTRL = 12;
    static final int PCI_MSIX_ENTRY_CTRL_MASKBIT = 1;

    private PciConstants() {}
}
