package org.vhostuserrng.cli.trace;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** Formats bit masks: the value in hex, then the names of the set bits, lowest bit first. */
final class TraceBitNames {
    private static final long MSIX_TABLE_SIZE = 0x7ff;
    private static final Map<Long, String> VIRTIO = new LinkedHashMap<>();
    private static final Map<Long, String> PROTOCOL = new LinkedHashMap<>();

    /** VIRTIO 1.3 §2.1 "Device Status Field". Only VIRTIO 1.4 defines SUSPEND. */
    private static final Map<Long, String> STATUS = Map.of(
            1L, "ACKNOWLEDGE",
            2L, "DRIVER",
            4L, "DRIVER_OK",
            8L, "FEATURES_OK",
            16L, "SUSPEND",
            64L, "DEVICE_NEEDS_RESET",
            128L, "FAILED");

    private static final Map<Long, String> VRING_FLAGS = Map.of(1L, "LOG");

    // vfio-user, and linux/vfio.h to which it refers
    private static final Map<Long, String> DMA_MAP_FLAGS = Map.of(1L, "READABLE", 2L, "WRITEABLE");
    private static final Map<Long, String> DEVICE_INFO_FLAGS = Map.of(1L, "RESET", 2L, "PCI");
    private static final Map<Long, String> REGION_INFO_FLAGS = Map.of(1L, "READ", 2L, "WRITE", 4L, "MMAP", 8L, "CAPS");
    private static final Map<Long, String> IRQ_INFO_FLAGS =
            Map.of(1L, "EVENTFD", 2L, "MASKABLE", 4L, "AUTOMASKED", 8L, "NORESIZE");
    private static final Map<Long, String> IRQ_SET_FLAGS = Map.of(
            1L, "DATA_NONE",
            2L, "DATA_BOOL",
            4L, "DATA_EVENTFD",
            8L, "ACTION_MASK",
            16L, "ACTION_UNMASK",
            32L, "ACTION_TRIGGER");

    // linux/pci_regs.h
    private static final Map<Long, String> PCI_COMMAND =
            Map.of(1L, "IO", 2L, "MEMORY", 4L, "MASTER", 0x100L, "SERR", 0x400L, "INTX_DISABLE");
    private static final Map<Long, String> PCI_STATUS = Map.of(8L, "INTERRUPT", 16L, "CAP_LIST");
    private static final Map<Long, String> MSIX_CONTROL = Map.of(0x4000L, "MASKALL", 0x8000L, "ENABLE");

    /** VIRTIO 1.3 §4.1.4.5 "ISR status capability". */
    private static final Map<Long, String> ISR_STATUS = Map.of(1L, "QUEUE_INTERRUPT", 2L, "CONFIGURATION_INTERRUPT");

    static {
        for (VirtioFeatureBit feature : VirtioFeatureBit.values()) {
            VIRTIO.put(feature.mask(), feature.name());
        }
        for (ProtocolFeatureBit feature : ProtocolFeatureBit.values()) {
            PROTOCOL.put(feature.mask(), feature.name());
        }
    }

    private TraceBitNames() {}

    static String virtioFeatures(long word) {
        return named(word, VIRTIO);
    }

    static String protocolFeatures(long word) {
        return named(word, PROTOCOL);
    }

    static String status(long word) {
        return named(word, STATUS);
    }

    static String vringFlags(long word) {
        return named(word, VRING_FLAGS);
    }

    static String dmaMapFlags(long word) {
        return named(word, DMA_MAP_FLAGS);
    }

    static String deviceInfoFlags(long word) {
        return named(word, DEVICE_INFO_FLAGS);
    }

    static String regionInfoFlags(long word) {
        return named(word, REGION_INFO_FLAGS);
    }

    static String irqInfoFlags(long word) {
        return named(word, IRQ_INFO_FLAGS);
    }

    static String irqSetFlags(long word) {
        return named(word, IRQ_SET_FLAGS);
    }

    static String pciCommand(long word) {
        return named(word, PCI_COMMAND);
    }

    static String pciStatus(long word) {
        return named(word, PCI_STATUS);
    }

    /** The enable bits of MSI-X message control; the other bits are the size of the table. */
    static String msixControl(long word) {
        return named(word & ~MSIX_TABLE_SIZE, MSIX_CONTROL) + " table-size=" + ((word & MSIX_TABLE_SIZE) + 1);
    }

    static String isrStatus(long word) {
        return named(word, ISR_STATUS);
    }

    private static String named(long word, Map<Long, String> names) {
        if (word == 0) {
            return "0x0";
        }
        StringJoiner bits = new StringJoiner(" ", " {", "}");
        for (int bit = 0; bit < Long.SIZE; bit++) {
            long mask = 1L << bit;
            if ((word & mask) != 0) {
                bits.add(names.getOrDefault(mask, "bit-" + bit));
            }
        }
        return TraceNumberFormat.hex(word) + bits;
    }
}
