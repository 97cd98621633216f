package org.vhostuserrng.cli.trace;

import net.openhft.chronicle.bytes.Bytes;

/**
 * Decodes memory region descriptions: each has four 64-bit fields, and two 32-bit fields after them if XEN_MMAP was
 * negotiated.
 */
final class TraceMemoryRegionDecoder {
    private static final int REGION = 32;
    private static final int XEN_REGION = 40;
    private static final int TABLE_HEADER = 8;
    private static final int PADDING = 8;

    private TraceMemoryRegionDecoder() {}

    /** Decodes the number of regions, padding, and the regions. Returns false if the payload is invalid. */
    static boolean decodeTable(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < TABLE_HEADER) {
            return false;
        }
        long count = payload.readUnsignedInt();
        payload.readSkip(Integer.BYTES);
        long size = count == 0 ? REGION : payload.readRemaining() / count;
        if (!isRegion(size) || payload.readRemaining() != count * size) {
            return false;
        }
        long total = 0;
        for (int i = 0; i < count; i++) {
            total += payload.readLong(payload.readPosition() + Long.BYTES);
            fields.detailLine("region " + i + "  " + region(payload, size).text());
        }
        fields.field("regions", count).field("total", TraceNumberFormat.bytes(total));
        return true;
    }

    /** Decodes padding and one region. Returns false if the payload is invalid. */
    static boolean decodeSingle(Bytes<byte[]> payload, TraceDecodedFields fields) {
        long size = payload.readRemaining() - PADDING;
        if (!isRegion(size)) {
            return false;
        }
        payload.readSkip(PADDING);
        fields.value(region(payload, size).text());
        return true;
    }

    private static boolean isRegion(long size) {
        return size == REGION || size == XEN_REGION;
    }

    private static TraceDecodedFields region(Bytes<byte[]> payload, long size) {
        TraceDecodedFields region = new TraceDecodedFields()
                .field("guest-address", TraceNumberFormat.hex(payload.readLong()))
                .field("size", TraceNumberFormat.bytes(payload.readLong()))
                .field("user-address", TraceNumberFormat.hex(payload.readLong()))
                .field("mmap-offset", TraceNumberFormat.hex(payload.readLong()));
        if (size == XEN_REGION) {
            region.field("xen-mmap-flags", TraceNumberFormat.hex(payload.readUnsignedInt()))
                    .field("domid", payload.readUnsignedInt());
        }
        return region;
    }
}
