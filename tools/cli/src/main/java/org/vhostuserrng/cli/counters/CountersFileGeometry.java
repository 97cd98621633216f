package org.vhostuserrng.cli.counters;

import java.nio.ByteBuffer;

/**
 * The offsets and sizes of the parts of a counters file, in bytes. All parts are within the file.
 *
 * @param fieldTable offset of the table of fields
 * @param fieldBytes size of an entry of the table of fields
 * @param fields number of entries of the table of fields
 * @param daemonSlot offset of the daemon's values
 * @param guestSlots offset of the first guest slot
 * @param slotBytes size of a guest slot
 * @param slots number of guest slots
 */
record CountersFileGeometry(
        int fieldTable, int fieldBytes, int fields, int daemonSlot, int guestSlots, int slotBytes, int slots) {
    private static final long MAGIC = 0x7463676e72756876L;
    private static final long VERSION = 1;
    private static final int MAX_ENTRY_BYTES = 4096;
    private static final int MAX_FIELDS = 4096;
    private static final int MAX_SLOT_BYTES = 1 << 16;

    static CountersFileGeometry read(ByteBuffer file) throws InvalidCountersFileException {
        if (file.limit() < CountersFileParser.HEADER_BYTES || file.getLong(0) != MAGIC) {
            throw new InvalidCountersFileException("is not a counters file");
        }
        long version = file.getLong(8);
        if (version != VERSION) {
            throw new InvalidCountersFileException("has layout version " + Long.toUnsignedString(version)
                    + ", expected " + VERSION + "; another release of this program wrote it");
        }
        int size = file.limit();
        CountersFileGeometry geometry = new CountersFileGeometry(
                aligned(file, 24, size),
                aligned(file, 32, MAX_ENTRY_BYTES),
                number(file, 40, MAX_FIELDS),
                aligned(file, 48, size),
                aligned(file, 56, size),
                aligned(file, 64, MAX_SLOT_BYTES),
                number(file, 72, size));
        if (!geometry.isWithin(size)) {
            throw new InvalidCountersFileException("is truncated or damaged");
        }
        return geometry;
    }

    private static int aligned(ByteBuffer file, int offset, int max) throws InvalidCountersFileException {
        int value = number(file, offset, max);
        if (value % Long.BYTES != 0) {
            throw new InvalidCountersFileException("is damaged");
        }
        return value;
    }

    private static int number(ByteBuffer file, int offset, int max) throws InvalidCountersFileException {
        long value = file.getLong(offset);
        if (value < 0 || value > max) {
            throw new InvalidCountersFileException("is damaged");
        }
        return (int) value;
    }

    private boolean isWithin(int size) {
        return fieldBytes >= CountersFileParser.FIELD_ENTRY_BYTES
                && slotBytes >= CountersFileParser.SLOT_HEADER_BYTES
                && fieldTable + (long) fields * fieldBytes <= size
                && guestSlots + (long) slots * slotBytes <= size;
    }

    int slotOffset(int slot) {
        return guestSlots + slot * slotBytes;
    }
}
