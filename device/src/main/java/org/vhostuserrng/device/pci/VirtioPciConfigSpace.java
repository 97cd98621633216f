package org.vhostuserrng.device.pci;

/**
 * The configuration space of a virtio-pci function: the header and the capabilities, at the offsets at which QEMU's
 * virtio-rng-pci has them on a PCI Express port. Knows the meaning of registers, but has no side effects.
 */
final class VirtioPciConfigSpace implements PciRegisters {
    private static final int EXPRESS = 0x40;
    private static final int POWER_MANAGEMENT = 0x7c;
    private static final int COMMON_CFG = 0x84;
    private static final int ISR_CFG = 0x94;
    private static final int NOTIFY_CFG = 0xb4;
    private static final int PCI_CFG = 0xc8;
    private static final int MSIX = 0xdc;

    // PCI §6.2.2: a device without an I/O Space has no writable bit 0.
    private static final int COMMAND_BITS = PciConstants.PCI_COMMAND_MEMORY
            | PciConstants.PCI_COMMAND_MASTER
            | PciConstants.PCI_COMMAND_PARITY
            | PciConstants.PCI_COMMAND_SERR
            | PciConstants.PCI_COMMAND_INTX_DISABLE;

    /** PCI Appendix D: base class 00h, sub-class FFh, interface 00h, as QEMU's virtio-rng-pci. */
    private static final int CLASS_CODE = 0x00ff00;

    private final PciConfigSpace registers = new PciConfigSpace();

    /**
     * Creates the configuration space in its initial state.
     *
     * @param deviceId PCI Device ID
     * @param msixVectors number of MSI-X vectors, at least 1
     */
    VirtioPciConfigSpace(int deviceId, int msixVectors) {
        defineHeader(deviceId);
        defineBars();
        defineExpress();
        definePowerManagement();
        defineStructure(COMMON_CFG, VirtioPciConstants.VIRTIO_PCI_CAP_COMMON_CFG, VirtioPciLayout.COMMON_CFG_OFFSET);
        defineStructure(ISR_CFG, VirtioPciConstants.VIRTIO_PCI_CAP_ISR_CFG, VirtioPciLayout.ISR_CFG_OFFSET);
        defineNotify();
        definePciCfg();
        defineMsix(msixVectors);
    }

    // --- definition ------------------------------------------------------------------------------------------------

    private void defineHeader(int deviceId) {
        registers.define16(PciConstants.PCI_VENDOR_ID, VirtioPciConstants.VENDOR_ID, 0);
        registers.define16(PciConstants.PCI_DEVICE_ID, deviceId, 0);
        registers.define16(PciConstants.PCI_COMMAND, 0, COMMAND_BITS);
        registers.define32(
                PciConstants.PCI_CLASS_REVISION, CLASS_CODE << Byte.SIZE | VirtioPciConstants.REVISION_ID, 0);
        // PCIe §7.5.1.1.7: Cache Line Size is writable and has no effect; the Latency Timer is 0.
        registers.define8(PciConstants.PCI_CACHE_LINE_SIZE, 0, 0xff);
        registers.define16(PciConstants.PCI_SUBSYSTEM_VENDOR_ID, VirtioPciConstants.VENDOR_ID, 0);
        registers.define16(PciConstants.PCI_SUBSYSTEM_ID, VirtioPciConstants.SUBSYSTEM_DEVICE_ID, 0);
        registers.define8(PciConstants.PCI_INTERRUPT_LINE, 0, 0xff);
        registers.define8(PciConstants.PCI_INTERRUPT_PIN, PciConstants.PCI_INTERRUPT_PIN_INTA, 0);
    }

    private void defineBars() {
        // PCI §6.2.5.1: address bits below the size read 0, so that software finds the size by writing all ones.
        registers.define32(
                barOffset(VirtioPciLayout.MSIX_BAR),
                PciConstants.PCI_BASE_ADDRESS_MEM_TYPE_32,
                -VirtioPciLayout.MSIX_BAR_BYTES);
        registers.define32(
                barOffset(VirtioPciLayout.STRUCTURES_BAR),
                PciConstants.PCI_BASE_ADDRESS_MEM_TYPE_64 | PciConstants.PCI_BASE_ADDRESS_MEM_PREFETCH,
                -VirtioPciLayout.STRUCTURES_BAR_BYTES);
        registers.define32(barOffset(VirtioPciLayout.STRUCTURES_BAR + 1), 0, -1);
    }

    private static int barOffset(int bar) {
        return PciConstants.PCI_BASE_ADDRESS_0 + bar * PciConstants.PCI_BASE_ADDRESS_BYTES;
    }

    private void defineExpress() {
        registers.addCapability(EXPRESS, PciConstants.PCI_CAP_ID_EXP);
        registers.define16(EXPRESS + PciConstants.PCI_EXP_FLAGS, PciConstants.PCI_EXP_FLAGS_VERSION_2_ENDPOINT, 0);
        registers.define32(
                EXPRESS + PciConstants.PCI_EXP_DEVCAP,
                PciConstants.PCI_EXP_DEVCAP_RBER | PciConstants.PCI_EXP_DEVCAP_FLR,
                0);
        // PCIe §7.5.3.4: Initiate Function Level Reset always reads 0.
        registers.define16(EXPRESS + PciConstants.PCI_EXP_DEVCTL, 0, PciConstants.PCI_EXP_DEVCTL_ERROR_REPORTING);
        registers.define32(
                EXPRESS + PciConstants.PCI_EXP_LNKCAP,
                PciConstants.PCI_EXP_LNKCAP_SLS_2_5GB
                        | PciConstants.PCI_EXP_LNKCAP_MLW_X1
                        | PciConstants.PCI_EXP_LNKCAP_ASPM_L0S,
                0);
        registers.define16(
                EXPRESS + PciConstants.PCI_EXP_LNKCTL,
                0,
                PciConstants.PCI_EXP_LNKCTL_ASPMC | PciConstants.PCI_EXP_LNKCTL_CCC | PciConstants.PCI_EXP_LNKCTL_ES);
        registers.define16(
                EXPRESS + PciConstants.PCI_EXP_LNKSTA,
                PciConstants.PCI_EXP_LNKSTA_CLS_2_5GB | PciConstants.PCI_EXP_LNKSTA_NLW_X1,
                0);
        registers.define32(
                EXPRESS + PciConstants.PCI_EXP_DEVCAP2,
                PciConstants.PCI_EXP_DEVCAP2_EXT_FMT | PciConstants.PCI_EXP_DEVCAP2_EE_PREFIX,
                0);
        registers.define16(EXPRESS + PciConstants.PCI_EXP_DEVCTL2, 0, PciConstants.PCI_EXP_DEVCTL2_EE_PREFIX_BLOCK);
    }

    private void definePowerManagement() {
        registers.addCapability(POWER_MANAGEMENT, PciConstants.PCI_CAP_ID_PM);
        registers.define16(POWER_MANAGEMENT + PciConstants.PCI_PM_PMC, PciConstants.PCI_PM_CAP_VER_1_2, 0);
        registers.define16(
                POWER_MANAGEMENT + PciConstants.PCI_PM_CTRL,
                PciConstants.PCI_PM_CTRL_NO_SOFT_RESET | PciConstants.PCI_PM_CTRL_STATE_D0,
                PciConstants.PCI_PM_CTRL_STATE_MASK);
    }

    private void defineStructure(int capability, int type, int offset) {
        defineVendorCapability(capability, type, VirtioPciConstants.CAP_BYTES);
        registers.define8(capability + VirtioPciConstants.CAP_BAR, VirtioPciLayout.STRUCTURES_BAR, 0);
        registers.define32(capability + VirtioPciConstants.CAP_OFFSET, offset, 0);
        registers.define32(capability + VirtioPciConstants.CAP_LENGTH, VirtioPciLayout.STRUCTURE_BYTES, 0);
    }

    private void defineVendorCapability(int capability, int type, int length) {
        registers.addCapability(capability, PciConstants.PCI_CAP_ID_VNDR);
        registers.define8(capability + VirtioPciConstants.CAP_LEN, length, 0);
        registers.define8(capability + VirtioPciConstants.CAP_CFG_TYPE, type, 0);
    }

    private void defineNotify() {
        defineStructure(NOTIFY_CFG, VirtioPciConstants.VIRTIO_PCI_CAP_NOTIFY_CFG, VirtioPciLayout.NOTIFY_CFG_OFFSET);
        registers.define8(NOTIFY_CFG + VirtioPciConstants.CAP_LEN, VirtioPciConstants.NOTIFY_CAP_BYTES, 0);
        registers.define32(
                NOTIFY_CFG + VirtioPciConstants.NOTIFY_CAP_OFF_MULTIPLIER, VirtioPciLayout.NOTIFY_OFF_MULTIPLIER, 0);
    }

    private void definePciCfg() {
        // VIRTIO 1.3 §4.1.4.9: cap.bar, cap.length, cap.offset and pci_cfg_data are read-write for the driver.
        defineVendorCapability(PCI_CFG, VirtioPciConstants.VIRTIO_PCI_CAP_PCI_CFG, VirtioPciConstants.CFG_CAP_BYTES);
        registers.define8(PCI_CFG + VirtioPciConstants.CAP_BAR, 0, 0xff);
        registers.define32(PCI_CFG + VirtioPciConstants.CAP_OFFSET, 0, -1);
        registers.define32(PCI_CFG + VirtioPciConstants.CAP_LENGTH, 0, -1);
        registers.define32(PCI_CFG + VirtioPciConstants.CFG_CAP_PCI_CFG_DATA, 0, -1);
    }

    private void defineMsix(int vectors) {
        registers.addCapability(MSIX, PciConstants.PCI_CAP_ID_MSIX);
        // PCI §6.8.2.3: Table Size is the number of entries minus 1.
        registers.define16(
                MSIX + PciConstants.PCI_MSIX_FLAGS,
                vectors - 1,
                PciConstants.PCI_MSIX_FLAGS_MASKALL | PciConstants.PCI_MSIX_FLAGS_ENABLE);
        registers.define32(
                MSIX + PciConstants.PCI_MSIX_TABLE, VirtioPciLayout.MSIX_TABLE_OFFSET | VirtioPciLayout.MSIX_BAR, 0);
        registers.define32(
                MSIX + PciConstants.PCI_MSIX_PBA, VirtioPciLayout.MSIX_PBA_OFFSET | VirtioPciLayout.MSIX_BAR, 0);
    }

    // --- access ----------------------------------------------------------------------------------------------------

    @Override
    public int read(int offset, int byteEnables) {
        return registers.read(offset, byteEnables);
    }

    @Override
    public void write(int offset, int value, int byteEnables) {
        int powerState = powerState();
        registers.write(offset, value, byteEnables);
        // PM §3.2.4: writing a state that is not supported does not change the state.
        if (!isSupported(powerState())) {
            int control = POWER_MANAGEMENT + PciConstants.PCI_PM_CTRL;
            registers.set32(control, (registers.get32(control) & ~PciConstants.PCI_PM_CTRL_STATE_MASK) | powerState);
        }
    }

    private int powerState() {
        return registers.get16(POWER_MANAGEMENT + PciConstants.PCI_PM_CTRL) & PciConstants.PCI_PM_CTRL_STATE_MASK;
    }

    private static boolean isSupported(int powerState) {
        return powerState == PciConstants.PCI_PM_CTRL_STATE_D0 || powerState == PciConstants.PCI_PM_CTRL_STATE_D3HOT;
    }

    /** Restores all initial values. */
    void reset() {
        registers.reset();
    }

    // --- meaning ---------------------------------------------------------------------------------------------------

    /** Whether the function is in power state D0; otherwise it is in D3hot. */
    boolean isD0() {
        return powerState() == PciConstants.PCI_PM_CTRL_STATE_D0;
    }

    boolean isBusMasterEnabled() {
        return (registers.get16(PciConstants.PCI_COMMAND) & PciConstants.PCI_COMMAND_MASTER) != 0;
    }

    boolean isIntxDisabled() {
        return (registers.get16(PciConstants.PCI_COMMAND) & PciConstants.PCI_COMMAND_INTX_DISABLE) != 0;
    }

    boolean isMsixEnabled() {
        return (registers.get16(MSIX + PciConstants.PCI_MSIX_FLAGS) & PciConstants.PCI_MSIX_FLAGS_ENABLE) != 0;
    }

    boolean isMsixFunctionMasked() {
        return (registers.get16(MSIX + PciConstants.PCI_MSIX_FLAGS) & PciConstants.PCI_MSIX_FLAGS_MASKALL) != 0;
    }

    /** Whether a write sets Initiate Function Level Reset. */
    static boolean initiatesFunctionLevelReset(int offset, int value, int byteEnables) {
        return offset == EXPRESS + PciConstants.PCI_EXP_DEVCTL
                && (value & ByteEnables.bits(byteEnables) & PciConstants.PCI_EXP_DEVCTL_FLR) != 0;
    }

    /** Whether the double word is pci_cfg_data. */
    static boolean isPciCfgData(int offset) {
        return offset == PCI_CFG + VirtioPciConstants.CFG_CAP_PCI_CFG_DATA;
    }

    /** VIRTIO 1.3 §4.1.4.9: cap.bar of the PCI configuration access capability. */
    int pciCfgBar() {
        return registers.get8(PCI_CFG + VirtioPciConstants.CAP_BAR);
    }

    /** VIRTIO 1.3 §4.1.4.9: cap.offset, unsigned. */
    int pciCfgOffset() {
        return registers.get32(PCI_CFG + VirtioPciConstants.CAP_OFFSET);
    }

    /** VIRTIO 1.3 §4.1.4.9: cap.length, unsigned. */
    int pciCfgLength() {
        return registers.get32(PCI_CFG + VirtioPciConstants.CAP_LENGTH);
    }

    /** VIRTIO 1.3 §4.1.4.9: pci_cfg_data, the first byte in the lowest bits. */
    int pciCfgData() {
        return registers.get32(PCI_CFG + VirtioPciConstants.CFG_CAP_PCI_CFG_DATA);
    }

    void setPciCfgData(int data) {
        registers.set32(PCI_CFG + VirtioPciConstants.CFG_CAP_PCI_CFG_DATA, data);
    }
}
