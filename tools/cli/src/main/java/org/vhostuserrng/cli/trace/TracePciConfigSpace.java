package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRegister.Format;

/**
 * The registers of a function's configuration space (PCI Local Bus 3.0 §6.1; names as in linux/pci_regs.h, in lower
 * case): those of the header, and those of the capabilities that were read in this session.
 */
final class TracePciConfigSpace {
    static final int SIZE = 4096;

    /** Value of cfg_type for each structure of VIRTIO 1.3 §4.1.4. */
    static final int COMMON_CFG = 1;

    static final int NOTIFY_CFG = 2;
    static final int ISR_CFG = 3;
    static final int DEVICE_CFG = 4;

    private static final int CAPABILITY_LIST = 0x34;
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int POWER_MANAGEMENT = 1;
    private static final int VENDOR_SPECIFIC = 9;
    private static final int PCI_EXPRESS = 0x10;
    private static final int MSIX = 0x11;

    /** More capabilities than fit into the 256 bytes that can contain the list. */
    private static final int MAX_CAPABILITIES = 64;

    private static final int MAX_STANDARD_OFFSET = 0xfc;
    private static final String[] STRUCTURES = {"vendor", "common_cfg", "notify_cfg", "isr_cfg", "device_cfg", "pci_cfg"
    };

    /**
     * A structure in a BAR.
     *
     * @param type cfg_type of VIRTIO 1.3 §4.1.4
     * @param length {@link Long#MAX_VALUE} if it is not known
     * @param multiplier notify_off_multiplier, of {@link #NOTIFY_CFG}; 0 if it is not known
     */
    record VirtioStructure(int type, int bar, long offset, long length, long multiplier) {}

    /** The MSI-X table and the Pending Bit Array, each a BAR and an offset. */
    record MsixStructures(int tableBar, long tableOffset, int pbaBar, long pbaOffset, int vectors) {}

    private final byte[] bytes = new byte[SIZE];
    private final BitSet known = new BitSet(SIZE);
    private final List<TraceRegister> registers = new ArrayList<>();
    private final List<VirtioStructure> structures = new ArrayList<>();
    private MsixStructures msix;

    TracePciConfigSpace() {
        findRegisters();
    }

    /** Stores data that a client has read. */
    void store(long offset, byte[] data) {
        if (offset < 0 || offset > SIZE - data.length) {
            return;
        }
        int at = (int) offset;
        boolean changed = known.nextClearBit(at) < at + data.length
                || !Arrays.equals(data, Arrays.copyOfRange(bytes, at, at + data.length));
        if (changed) {
            System.arraycopy(data, 0, bytes, at, data.length);
            known.set(at, at + data.length);
            findRegisters();
        }
    }

    List<TraceRegister> registers() {
        return List.copyOf(registers);
    }

    List<VirtioStructure> structures() {
        return List.copyOf(structures);
    }

    /** The structures of MSI-X; null while the capability is not known. */
    MsixStructures msix() {
        return msix;
    }

    private void findRegisters() {
        registers.clear();
        structures.clear();
        msix = null;
        addHeader();
        int capability = u8(CAPABILITY_LIST);
        for (int i = 0; i < MAX_CAPABILITIES && isCapability(capability); i++) {
            addCapability(capability);
            // 0, the end of the list, if it has not been read.
            capability = u8(capability + 1);
        }
    }

    private static boolean isCapability(int offset) {
        return offset >= FIRST_CAPABILITY && offset <= MAX_STANDARD_OFFSET;
    }

    private boolean isKnown(int offset, int length) {
        return known.nextClearBit(offset) >= offset + length;
    }

    private int u8(int offset) {
        return bytes[offset] & 0xff;
    }

    private long u32(int offset) {
        return u8(offset) | u8(offset + 1) << 8 | u8(offset + 2) << 16 | (long) u8(offset + 3) << 24;
    }

    private void add(String name, int offset, int width, Format format) {
        registers.add(new TraceRegister(name, offset, width, format));
    }

    private void addHeader() {
        add("config.vendor_id", 0x00, 2, Format.HEX);
        add("config.device_id", 0x02, 2, Format.HEX);
        add("config.command", 0x04, 2, Format.PCI_COMMAND);
        add("config.status", 0x06, 2, Format.PCI_STATUS);
        add("config.revision_id", 0x08, 1, Format.HEX);
        add("config.class_code", 0x09, 3, Format.HEX);
        add("config.cache_line_size", 0x0c, 1, Format.HEX);
        add("config.latency_timer", 0x0d, 1, Format.HEX);
        add("config.header_type", 0x0e, 1, Format.HEX);
        add("config.bist", 0x0f, 1, Format.HEX);
        for (int bar = 0; bar < 6; bar++) {
            add("config.base_address_" + bar, 0x10 + bar * Integer.BYTES, 4, Format.HEX);
        }
        add("config.cardbus_cis", 0x28, 4, Format.HEX);
        add("config.subsystem_vendor_id", 0x2c, 2, Format.HEX);
        add("config.subsystem_id", 0x2e, 2, Format.HEX);
        add("config.rom_address", 0x30, 4, Format.HEX);
        add("config.capability_list", CAPABILITY_LIST, 1, Format.HEX);
        add("config.interrupt_line", 0x3c, 1, Format.DECIMAL);
        add("config.interrupt_pin", 0x3d, 1, Format.DECIMAL);
        add("config.min_gnt", 0x3e, 1, Format.DECIMAL);
        add("config.max_lat", 0x3f, 1, Format.DECIMAL);
    }

    private void addCapability(int at) {
        switch (u8(at)) {
            case 0 -> addIdAndNext("capability", at);
            case POWER_MANAGEMENT -> addPowerManagement(at);
            case MSIX -> addMsix(at);
            case PCI_EXPRESS -> addExpress(at);
            case VENDOR_SPECIFIC -> addVirtio(at);
            default -> addIdAndNext("capability_0x" + Integer.toHexString(u8(at)), at);
        }
    }

    private void addIdAndNext(String name, int at) {
        add(name + ".cap_id", at, 1, Format.HEX);
        add(name + ".cap_next", at + 1, 1, Format.HEX);
    }

    private void addPowerManagement(int at) {
        addIdAndNext("pm", at);
        add("pm.capabilities", at + 2, 2, Format.HEX);
        add("pm.control_status", at + 4, 2, Format.HEX);
    }

    private void addMsix(int at) {
        addIdAndNext("msix", at);
        add("msix.message_control", at + 2, 2, Format.MSIX_CONTROL);
        add("msix.table", at + 4, 4, Format.HEX);
        add("msix.pba", at + 8, 4, Format.HEX);
        if (isKnown(at, 12)) {
            long table = u32(at + 4);
            long pba = u32(at + 8);
            int vectors = ((u8(at + 3) << 8 | u8(at + 2)) & 0x7ff) + 1;
            msix = new MsixStructures((int) (table & 7), table & ~7L, (int) (pba & 7), pba & ~7L, vectors);
        }
    }

    private void addExpress(int at) {
        addIdAndNext("express", at);
        add("express.capabilities", at + 2, 2, Format.HEX);
        add("express.device_capabilities", at + 4, 4, Format.HEX);
        add("express.device_control", at + 8, 2, Format.HEX);
        add("express.device_status", at + 10, 2, Format.HEX);
        add("express.link_capabilities", at + 12, 4, Format.HEX);
        add("express.link_control", at + 16, 2, Format.HEX);
        add("express.link_status", at + 18, 2, Format.HEX);
        add("express.device_capabilities_2", at + 36, 4, Format.HEX);
        add("express.device_control_2", at + 40, 2, Format.HEX);
    }

    // VIRTIO 1.3 §4.1.4: struct virtio_pci_cap
    private void addVirtio(int at) {
        int type = u8(at + 3);
        String name = (type < STRUCTURES.length ? STRUCTURES[type] : "cfg_type_" + type) + "_cap";
        addIdAndNext(name, at);
        add(name + ".cap_len", at + 2, 1, Format.DECIMAL);
        add(name + ".cfg_type", at + 3, 1, Format.DECIMAL);
        add(name + ".bar", at + 4, 1, Format.DECIMAL);
        add(name + ".id", at + 5, 1, Format.DECIMAL);
        add(name + ".offset", at + 8, 4, Format.HEX);
        add(name + ".length", at + 12, 4, Format.HEX);
        if (type == NOTIFY_CFG) {
            add(name + ".notify_off_multiplier", at + 16, 4, Format.DECIMAL);
        } else if (type == DEVICE_CFG + 1) {
            add(name + ".pci_cfg_data", at + 16, 4, Format.HEX);
        }
        if (type >= COMMON_CFG && type <= DEVICE_CFG && isKnown(at + 4, 1) && isKnown(at + 8, 4)) {
            // A driver need not read the length.
            long length = isKnown(at + 12, 4) ? u32(at + 12) : Long.MAX_VALUE;
            structures.add(new VirtioStructure(type, u8(at + 4), u32(at + 8), length, u32(at + 16)));
        }
    }
}
