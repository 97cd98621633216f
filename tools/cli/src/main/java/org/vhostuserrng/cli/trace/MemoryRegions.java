package org.vhostuserrng.cli.trace;

import net.openhft.chronicle.bytes.Bytes;

/** The document's memory regions: four 64-bit numbers, and two 32-bit ones more with XEN_MMAP. */
final class MemoryRegions {
    private static final int REGION = 32;
    private static final int XEN_REGION = 40;
    private static final int TABLE_HEADER = 8;
    private static final int PADDING = 8;

    private MemoryRegions() {}

    /** A number of regions, padding, then one region after the other. */
    static boolean readTable(Bytes<byte[]> payload, Fields fields) {
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
            fields.line("region " + i + "  " + region(payload, size).text());
        }
        fields.add("regions", count).add("total", Quantity.bytes(total));
        return true;
    }

    /** Padding, then one region. */
    static boolean readSingle(Bytes<byte[]> payload, Fields fields) {
        long size = payload.readRemaining() - PADDING;
        if (!isRegion(size)) {
            return false;
        }
        payload.readSkip(PADDING);
        fields.word(region(payload, size).text());
        return true;
    }

    private static boolean isRegion(long size) {
        return size == REGION || size == XEN_REGION;
    }

    private static Fields region(Bytes<byte[]> payload, long size) {
        Fields region = new Fields()
                .add("guest-address", Quantity.hex(payload.readLong()))
                .add("size", Quantity.bytes(payload.readLong()))
                .add("user-address", Quantity.hex(payload.readLong()))
                .add("mmap-offset", Quantity.hex(payload.readLong()));
        if (size == XEN_REGION) {
            region.add("xen-mmap-flags", Quantity.hex(payload.readUnsignedInt()))
                    .add("domid", payload.readUnsignedInt());
        }
        return region;
    }
}
