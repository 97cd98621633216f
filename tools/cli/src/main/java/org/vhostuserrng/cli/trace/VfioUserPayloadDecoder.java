package org.vhostuserrng.cli.trace;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.libc.NativeText;

/**
 * Decodes the payloads of vfio-user commands and replies. Tracks the sizes of the regions and the registers of the
 * function. Numbers are in native byte order, those of registers little-endian.
 */
final class VfioUserPayloadDecoder {
    private static final int REGION_ACCESS = 16;
    private static final int DMA_ADDRESS_AND_COUNT = 12;
    private static final int DMA_MAP = 32;
    private static final int DMA_UNMAP = 24;
    private static final int INFO = 16;
    private static final int REGION_INFO = 32;
    private static final int IRQ_SET = 20;
    private static final int SINGLE_WRITE = 24;
    private static final int SINGLE_WRITE_DATA = 8;
    private static final int FEATURE = 8;
    private static final int DATA_BOOL = 2;
    private static final int DATA_EVENTFD = 4;
    private static final String[] IRQS = {"INTX", "MSI", "MSIX", "ERR", "REQ"};
    private static final int REGIONS = 9;
    private static final long UNKNOWN = -1;

    private final TraceVirtioPciRegisters registers = new TraceVirtioPciRegisters();
    private final long[] regionSizes = new long[REGIONS];

    VfioUserPayloadDecoder() {
        Arrays.fill(regionSizes, UNKNOWN);
    }

    /**
     * Decodes the payload of a command into {@code fields}, and adds violations of the document to {@code notes}.
     * Returns false if the payload is invalid; {@code fields} is then unusable.
     */
    boolean decodeCommand(
            VfioUserTraceCommand command, Bytes<byte[]> payload, TraceDecodedFields fields, List<String> notes) {
        return switch (command) {
            case VERSION -> version(payload, fields);
            case DMA_MAP -> dmaMap(payload, fields);
            case DMA_UNMAP -> dmaUnmap(payload, fields);
            case DEVICE_GET_INFO -> payload.readRemaining() == INFO && argsz(payload, INFO, fields);
            case DEVICE_GET_REGION_INFO -> indexOnly(payload, REGION_INFO, fields, true);
            case DEVICE_GET_REGION_IO_FDS -> indexOnly(payload, INFO, fields, true);
            case DEVICE_GET_IRQ_INFO -> indexOnly(payload, INFO, fields, false);
            case DEVICE_SET_IRQS -> irqSet(payload, fields);
            case REGION_READ -> regionAccess(payload, fields, notes, false, '\0');
            case REGION_WRITE -> regionAccess(payload, fields, notes, true, '←');
            case DMA_READ, DMA_WRITE -> dmaAccess(payload, fields);
            case DEVICE_RESET -> payload.readRemaining() == 0;
            case REGION_WRITE_MULTI -> writeMulti(payload, fields, notes);
            case DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE -> feature(payload, fields);
        };
    }

    /** Decodes the payload of a reply without an error, like {@link #decodeCommand}. */
    boolean decodeReply(
            VfioUserTraceCommand command, Bytes<byte[]> payload, TraceDecodedFields fields, List<String> notes) {
        return switch (command) {
            case VERSION -> version(payload, fields);
            case DMA_MAP, DEVICE_SET_IRQS, DEVICE_RESET -> payload.readRemaining() == 0;
            case DMA_UNMAP -> payload.readRemaining() == 0 || dmaUnmap(payload, fields);
            case DEVICE_GET_INFO -> deviceInfo(payload, fields);
            case DEVICE_GET_REGION_INFO -> regionInfo(payload, fields);
            case DEVICE_GET_REGION_IO_FDS -> regionIoFds(payload, fields);
            case DEVICE_GET_IRQ_INFO -> irqInfo(payload, fields);
            case REGION_READ -> regionAccess(payload, fields, notes, true, '→');
            case REGION_WRITE -> regionAccess(payload, fields, notes, false, '\0');
            case DMA_READ, DMA_WRITE -> dmaAccess(payload, fields);
            case REGION_WRITE_MULTI -> writeCount(payload, fields);
            case DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE -> feature(payload, fields);
        };
    }

    private static boolean version(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < 2 * Short.BYTES) {
            return false;
        }
        fields.value(payload.readUnsignedShort() + "." + payload.readUnsignedShort());
        String data = new String(remaining(payload), StandardCharsets.UTF_8);
        if (!data.isEmpty()) {
            fields.value(NativeText.printable(data.endsWith("\0") ? data.substring(0, data.length() - 1) : data));
        }
        return true;
    }

    /** Reads argsz and flags. Prints argsz only if it is not the size of the structure. */
    private static boolean argsz(Bytes<byte[]> payload, int size, TraceDecodedFields fields) {
        long argsz = payload.readUnsignedInt();
        if (argsz != size) {
            fields.field("argsz", argsz);
        }
        return true;
    }

    private static boolean dmaMap(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != DMA_MAP) {
            return false;
        }
        argsz(payload, DMA_MAP, fields);
        String flags = TraceBitNames.dmaMapFlags(payload.readUnsignedInt());
        long offset = payload.readLong();
        addressAndSize(payload, fields);
        fields.field("offset", TraceNumberFormat.hex(offset)).field("flags", flags);
        return true;
    }

    private static void addressAndSize(Bytes<byte[]> payload, TraceDecodedFields fields) {
        fields.field("address", TraceNumberFormat.hex(payload.readLong()))
                .field("size", TraceNumberFormat.bytes(payload.readLong()));
    }

    private static boolean dmaUnmap(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < DMA_UNMAP) {
            return false;
        }
        argsz(payload, DMA_UNMAP, fields);
        long flags = payload.readUnsignedInt();
        addressAndSize(payload, fields);
        if (flags != 0) {
            fields.field("flags", TraceNumberFormat.hex(flags));
        }
        hexDump(payload, fields);
        return true;
    }

    private static boolean indexOnly(Bytes<byte[]> payload, int size, TraceDecodedFields fields, boolean isRegion) {
        if (payload.readRemaining() != size) {
            return false;
        }
        long argsz = payload.readUnsignedInt();
        payload.readSkip(Integer.BYTES);
        long index = payload.readUnsignedInt();
        fields.value(isRegion ? TraceVirtioPciRegisters.regionName(index) : irqName(index));
        if (argsz != size) {
            fields.field("argsz", argsz);
        }
        return true;
    }

    private static boolean deviceInfo(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < INFO) {
            return false;
        }
        argsz(payload, INFO, fields);
        fields.field("flags", TraceBitNames.deviceInfoFlags(payload.readUnsignedInt()))
                .field("regions", payload.readUnsignedInt())
                .field("irqs", payload.readUnsignedInt());
        hexDump(payload, fields);
        return true;
    }

    private boolean regionInfo(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < REGION_INFO) {
            return false;
        }
        long argsz = payload.readUnsignedInt();
        String flags = TraceBitNames.regionInfoFlags(payload.readUnsignedInt());
        long index = payload.readUnsignedInt();
        payload.readSkip(Integer.BYTES);
        long size = payload.readLong();
        payload.readSkip(Long.BYTES);
        fields.value(TraceVirtioPciRegisters.regionName(index))
                .field("size", TraceNumberFormat.bytes(size))
                .field("flags", flags);
        if (argsz != REGION_INFO) {
            fields.field("argsz", argsz);
        }
        if (index < REGIONS) {
            regionSizes[(int) index] = size;
        }
        hexDump(payload, fields);
        return true;
    }

    private static boolean regionIoFds(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < INFO) {
            return false;
        }
        payload.readSkip(2 * Integer.BYTES);
        fields.value(TraceVirtioPciRegisters.regionName(payload.readUnsignedInt()))
                .field("count", payload.readUnsignedInt());
        hexDump(payload, fields);
        return true;
    }

    private static boolean irqInfo(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != INFO) {
            return false;
        }
        payload.readSkip(Integer.BYTES);
        String flags = TraceBitNames.irqInfoFlags(payload.readUnsignedInt());
        fields.value(irqName(payload.readUnsignedInt()))
                .field("count", payload.readUnsignedInt())
                .field("flags", flags);
        return true;
    }

    private static boolean irqSet(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < IRQ_SET) {
            return false;
        }
        long size = payload.readRemaining();
        long argsz = payload.readUnsignedInt();
        long flags = payload.readUnsignedInt();
        fields.value(irqName(payload.readUnsignedInt()))
                .field("flags", TraceBitNames.irqSetFlags(flags))
                .field("start", payload.readUnsignedInt())
                .field("count", payload.readUnsignedInt());
        if (argsz != size) {
            fields.field("argsz", argsz);
        }
        if ((flags & DATA_BOOL) != 0 || payload.readRemaining() > 0) {
            hexDump(payload, fields);
        }
        return true;
    }

    /** Whether a DEVICE_SET_IRQS command with this payload assigns or removes eventfds. */
    static boolean concernsEventfds(byte[] payload) {
        return payload.length >= IRQ_SET
                && (Bytes.wrapForRead(payload).readUnsignedInt(Integer.BYTES) & DATA_EVENTFD) != 0;
    }

    private boolean regionAccess(
            Bytes<byte[]> payload, TraceDecodedFields fields, List<String> notes, boolean hasData, char arrow) {
        if (payload.readRemaining() < REGION_ACCESS) {
            return false;
        }
        long offset = payload.readLong();
        long region = payload.readUnsignedInt();
        long count = payload.readUnsignedInt();
        byte[] data = remaining(payload);
        if (data.length != (hasData ? count : 0)) {
            return false;
        }
        fields.value(registers.name(region, offset, count));
        checkBounds(region, offset, count, notes);
        if (data.length > 0) {
            data(region, offset, data, fields, arrow);
            if (arrow == '→') {
                registers.learnRead(region, offset, data);
            } else {
                registers.learnWrite(region, offset, data);
            }
        }
        return true;
    }

    private void data(long region, long offset, byte[] data, TraceDecodedFields fields, char arrow) {
        if (data.length <= Long.BYTES) {
            fields.value(arrow + " " + registers.value(region, offset, data));
        } else {
            HexDump.of(data).forEach(fields::detailLine);
        }
    }

    private void checkBounds(long region, long offset, long count, List<String> notes) {
        if (region >= REGIONS) {
            notes.add("there is no region " + region);
        } else if (regionSizes[(int) region] != UNKNOWN) {
            long size = regionSizes[(int) region];
            if (Long.compareUnsigned(offset, size) > 0 || Long.compareUnsigned(count, size - offset) > 0) {
                notes.add("the access is outside of the region, which has " + TraceNumberFormat.bytes(size));
            }
        }
    }

    /** Decodes address and count. The document has a u64 count, QEMU a u32; the data is not in the trace. */
    private static boolean dmaAccess(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < DMA_ADDRESS_AND_COUNT) {
            return false;
        }
        fields.field("address", TraceNumberFormat.hex(payload.readLong())).field("count", payload.readUnsignedInt());
        return true;
    }

    // { u64 wr_cnt; { u64 offset; u32 region; u32 count; u8 data[8]; } wrs[]; }
    private boolean writeMulti(Bytes<byte[]> payload, TraceDecodedFields fields, List<String> notes) {
        if (payload.readRemaining() < Long.BYTES) {
            return false;
        }
        long writes = payload.readLong();
        if (payload.readRemaining() % SINGLE_WRITE != 0 || writes != payload.readRemaining() / SINGLE_WRITE) {
            return false;
        }
        fields.field("writes", writes);
        for (long i = 0; i < writes; i++) {
            singleWrite(payload, fields, notes);
        }
        return true;
    }

    private void singleWrite(Bytes<byte[]> payload, TraceDecodedFields fields, List<String> notes) {
        long offset = payload.readLong();
        long region = payload.readUnsignedInt();
        long count = payload.readUnsignedInt();
        byte[] data = new byte[SINGLE_WRITE_DATA];
        payload.read(data);
        checkBounds(region, offset, count, notes);
        String name = registers.name(region, offset, count);
        if (count > SINGLE_WRITE_DATA) {
            notes.add("a write of " + count + " bytes, more than " + SINGLE_WRITE_DATA);
            fields.detailLine(name);
        } else {
            byte[] written = Arrays.copyOf(data, (int) count);
            fields.detailLine(name + " ← " + registers.value(region, offset, written));
            registers.learnWrite(region, offset, written);
        }
    }

    private static boolean writeCount(Bytes<byte[]> payload, TraceDecodedFields fields) {
        boolean fits = payload.readRemaining() == Long.BYTES;
        if (fits) {
            fields.field("writes", Long.toUnsignedString(payload.readLong()));
        }
        return fits;
    }

    private static boolean feature(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < FEATURE) {
            return false;
        }
        fields.field("argsz", payload.readUnsignedInt())
                .field("flags", TraceNumberFormat.hex(payload.readUnsignedInt()));
        hexDump(payload, fields);
        return true;
    }

    private static String irqName(long index) {
        return index < IRQS.length ? IRQS[(int) index] : "irq-" + index;
    }

    private static void hexDump(Bytes<byte[]> payload, TraceDecodedFields fields) {
        HexDump.of(remaining(payload)).forEach(fields::detailLine);
    }

    private static byte[] remaining(Bytes<byte[]> payload) {
        byte[] data = new byte[(int) payload.readRemaining()];
        payload.read(data);
        return data;
    }
}
