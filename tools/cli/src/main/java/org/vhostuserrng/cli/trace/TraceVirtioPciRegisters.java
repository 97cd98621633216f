package org.vhostuserrng.cli.trace;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.vhostuserrng.cli.trace.TracePciConfigSpace.MsixStructures;
import org.vhostuserrng.cli.trace.TracePciConfigSpace.VirtioStructure;
import org.vhostuserrng.cli.trace.TraceRegister.Format;

/**
 * Names the registers of a virtio-pci function (VIRTIO 1.3 §4.1.4) that a region access covers. Learns the locations of
 * the registers, and the selected word of feature bits, from the accesses of a session.
 */
final class TraceVirtioPciRegisters {
    static final int CONFIG_REGION = 7;

    private static final int BARS = 6;
    private static final String[] OTHER_REGIONS = {"ROM", "CONFIG", "VGA"};

    /** Accesses that cover more registers are printed by their offset. */
    private static final int MAX_NAMES = 4;

    private static final int MSIX_ENTRY_SIZE = 16;
    private static final List<TraceRegister> COMMON_CFG = List.of(
            register("device_feature_select", 0, 4, Format.DECIMAL),
            register("device_feature", 4, 4, Format.DEVICE_FEATURES),
            register("driver_feature_select", 8, 4, Format.DECIMAL),
            register("driver_feature", 12, 4, Format.DRIVER_FEATURES),
            register("config_msix_vector", 16, 2, Format.MSIX_VECTOR),
            register("num_queues", 18, 2, Format.DECIMAL),
            register("device_status", 20, 1, Format.DEVICE_STATUS),
            register("config_generation", 21, 1, Format.DECIMAL),
            register("queue_select", 22, 2, Format.DECIMAL),
            register("queue_size", 24, 2, Format.DECIMAL),
            register("queue_msix_vector", 26, 2, Format.MSIX_VECTOR),
            register("queue_enable", 28, 2, Format.DECIMAL),
            register("queue_notify_off", 30, 2, Format.DECIMAL),
            register("queue_desc", 32, 8, Format.HEX),
            register("queue_driver", 40, 8, Format.HEX),
            register("queue_device", 48, 8, Format.HEX),
            register("queue_notif_config_data", 56, 2, Format.DECIMAL),
            register("queue_reset", 58, 2, Format.DECIMAL),
            register("admin_queue_index", 60, 2, Format.DECIMAL),
            register("admin_queue_num", 62, 2, Format.DECIMAL));

    private final TracePciConfigSpace config = new TracePciConfigSpace();
    private int deviceFeatureWord;
    private int driverFeatureWord;

    private static TraceRegister register(String name, int offset, int width, Format format) {
        return new TraceRegister("common_cfg." + name, offset, width, format);
    }

    /** The name of a region: that of its index in linux/vfio.h without {@code VFIO_PCI_} and {@code _REGION_INDEX}. */
    static String regionName(long region) {
        if (region >= 0 && region < BARS) {
            return "BAR" + region;
        }
        int other = (int) Math.min(Math.max(region - BARS, -1), OTHER_REGIONS.length);
        return other >= 0 && other < OTHER_REGIONS.length
                ? OTHER_REGIONS[other]
                : "region-" + Long.toUnsignedString(region);
    }

    /** Learns from data that was read from a region. */
    void learnRead(long region, long offset, byte[] data) {
        if (region == CONFIG_REGION) {
            config.store(offset, data);
        }
    }

    /** Learns from data that was written to a region. */
    void learnWrite(long region, long offset, byte[] data) {
        List<TraceRegister> covered = covered(region, offset, data.length);
        if (covered.size() == 1 && covered.getFirst().isExactly(offset, data.length)) {
            int selected = (int) Math.min(1, number(data));
            switch (covered.getFirst().name()) {
                case "common_cfg.device_feature_select" -> deviceFeatureWord = selected;
                case "common_cfg.driver_feature_select" -> driverFeatureWord = selected;
                default -> {
                    // Only these registers change the meaning of others.
                }
            }
        }
    }

    /** Returns the names of the registers that an access covers; otherwise region, offset and length. */
    String name(long region, long offset, long count) {
        if (count >= 1 && count <= Long.BYTES) {
            List<TraceRegister> covered = covered(region, offset, (int) count);
            if (!covered.isEmpty() && covered.size() <= MAX_NAMES) {
                StringJoiner names = new StringJoiner(" ");
                covered.forEach(each -> names.add(each.name(offset, (int) count)));
                return names.toString();
            }
        }
        return regionName(region) + "+" + TraceNumberFormat.hex(offset) + " count=" + Long.toUnsignedString(count);
    }

    /** Formats a value of 1 to 8 bytes: as its register, if the access covers a whole one, otherwise in hexadecimal. */
    String value(long region, long offset, byte[] data) {
        List<TraceRegister> covered = covered(region, offset, data.length);
        long value = number(data);
        if (covered.size() == 1 && covered.getFirst().isExactly(offset, data.length)) {
            TraceRegister register = covered.getFirst();
            return register.text(
                    value, register.format() == Format.DEVICE_FEATURES ? deviceFeatureWord : driverFeatureWord);
        }
        return TraceNumberFormat.hex(value);
    }

    /** PCI and virtio-pci registers are little-endian on every host. */
    private static long number(byte[] data) {
        long value = 0;
        for (int i = Math.min(data.length, Long.BYTES) - 1; i >= 0; i--) {
            value = value << Byte.SIZE | (data[i] & 0xff);
        }
        return value;
    }

    private List<TraceRegister> covered(long region, long offset, int count) {
        if (offset < 0 || offset > Long.MAX_VALUE - count) {
            return List.of();
        }
        if (region == CONFIG_REGION) {
            return overlapping(config.registers(), 0, offset, count);
        }
        return structureAt(region, offset)
                .map(structure -> inStructure(structure, offset, count))
                .orElseGet(() -> msixEntry(region, offset).stream().toList());
    }

    /** The last structure that begins at or before an offset: the length of earlier ones may be unknown. */
    private Optional<VirtioStructure> structureAt(long region, long offset) {
        return config.structures().stream()
                .filter(each ->
                        each.bar() == region && offset >= each.offset() && offset - each.offset() < each.length())
                .max(Comparator.comparingLong(VirtioStructure::offset));
    }

    private static List<TraceRegister> overlapping(List<TraceRegister> all, long base, long offset, int count) {
        return all.stream()
                .map(each -> new TraceRegister(each.name(), base + each.offset(), each.width(), each.format()))
                .filter(each -> each.overlaps(offset, count))
                .toList();
    }

    private static List<TraceRegister> inStructure(VirtioStructure structure, long offset, int count) {
        return switch (structure.type()) {
            case TracePciConfigSpace.COMMON_CFG -> overlapping(COMMON_CFG, structure.offset(), offset, count);
            case TracePciConfigSpace.ISR_CFG ->
                overlapping(
                        List.of(new TraceRegister("isr_status", 0, 1, Format.ISR_STATUS)),
                        structure.offset(),
                        offset,
                        count);
            case TracePciConfigSpace.NOTIFY_CFG ->
                notification(structure, offset, count).stream().toList();
            default ->
                List.of(new TraceRegister(
                        "device_cfg+" + TraceNumberFormat.hex(offset - structure.offset()), offset, count, Format.HEX));
        };
    }

    /** VIRTIO 1.3 §4.1.4.4: a queue's address is notify_off_multiplier times its queue_notify_off. */
    private static Optional<TraceRegister> notification(VirtioStructure structure, long offset, int count) {
        long at = offset - structure.offset();
        long multiplier = structure.multiplier();
        String which = multiplier == 0
                ? ""
                : at % multiplier == 0 ? "[" + at / multiplier + "]" : "+" + TraceNumberFormat.hex(at);
        return Optional.of(new TraceRegister("notify" + which, offset, count, Format.NOTIFICATION));
    }

    /** PCI Local Bus 3.0 §6.8.2: the MSI-X table and the Pending Bit Array. */
    private Optional<TraceRegister> msixEntry(long region, long offset) {
        MsixStructures msix = config.msix();
        if (msix == null) {
            return Optional.empty();
        }
        long inTable = offset - msix.tableOffset();
        if (region == msix.tableBar() && inTable >= 0 && inTable < (long) msix.vectors() * MSIX_ENTRY_SIZE) {
            String[] fields = {"message_address", "message_upper_address", "message_data", "vector_control"};
            int field = (int) (inTable % MSIX_ENTRY_SIZE) / Integer.BYTES;
            return Optional.of(new TraceRegister(
                    "msix_table[" + inTable / MSIX_ENTRY_SIZE + "]." + fields[field],
                    offset - inTable % Integer.BYTES,
                    Integer.BYTES,
                    Format.HEX));
        }
        long inPba = offset - msix.pbaOffset();
        boolean isPba = region == msix.pbaBar() && inPba >= 0 && inPba < Math.ceilDiv(msix.vectors(), Long.SIZE) * 8L;
        return Stream.of(new TraceRegister("msix_pba", offset - inPba % 8, Long.BYTES, Format.HEX))
                .filter(each -> isPba)
                .findFirst();
    }
}
