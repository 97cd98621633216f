package org.vhostuserrng.transport.counters;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The constant part of a counters file, with which a reader finds all values: the offsets and sizes in the header, and
 * the table of fields.
 */
final class CountersFileDescription {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final CountersLayout layout;

    CountersFileDescription(CountersLayout layout) {
        this.layout = layout;
    }

    /** Writes the version, the offsets and sizes, and the table of fields. Does not write the magic number. */
    void write(MemorySegment memory) {
        memory.set(LONG, CountersLayout.VERSION, CountersLayout.VERSION_1);
        memory.set(LONG, CountersLayout.FIELD_TABLE_OFFSET, CountersLayout.HEADER_BYTES);
        memory.set(LONG, CountersLayout.FIELD_BYTES, CountersLayout.FIELD_ENTRY_BYTES);
        memory.set(LONG, CountersLayout.FIELD_COUNT, layout.fieldCount());
        memory.set(LONG, CountersLayout.DAEMON_SLOT_OFFSET, layout.daemonSlotOffset());
        memory.set(LONG, CountersLayout.GUEST_SLOTS_OFFSET, layout.guestSlotsOffset());
        memory.set(LONG, CountersLayout.GUEST_SLOT_BYTES, layout.guestSlotBytes());
        MemorySegment table = memory.asSlice(CountersLayout.HEADER_BYTES);
        long entry = writeFields(table, 0, layout.daemonFields(), CountersLayout.SCOPE_DAEMON, 0);
        writeFields(table, entry, layout.guestFields(), CountersLayout.SCOPE_GUEST, CountersLayout.SLOT_VALUES);
    }

    private static long writeFields(
            MemorySegment table, long first, List<CounterField> fields, long scope, long firstOffset) {
        long entry = first;
        long offset = firstOffset;
        for (CounterField field : fields) {
            table.set(LONG, entry + CountersLayout.FIELD_SCOPE, scope);
            table.set(LONG, entry + CountersLayout.FIELD_KIND, field.kind().code());
            table.set(LONG, entry + CountersLayout.FIELD_OFFSET, offset);
            table.set(LONG, entry + CountersLayout.FIELD_UPPER_BOUND, field.upperBound());
            writeText(table, entry + CountersLayout.FIELD_NAME, field.name());
            writeText(table, entry + CountersLayout.FIELD_UNIT, field.unit());
            entry += CountersLayout.FIELD_ENTRY_BYTES;
            offset += Long.BYTES;
        }
        return entry;
    }

    private static void writeText(MemorySegment table, long offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(bytes, 0, table, ValueLayout.JAVA_BYTE, offset, bytes.length);
    }

    /** Returns whether a file contains this description. */
    boolean matches(MemorySegment memory) {
        long described = layout.daemonSlotOffset();
        MemorySegment expected = MemorySegment.ofArray(new long[(int) (described / Long.BYTES)]);
        write(expected);
        return isEqual(memory, expected, CountersLayout.VERSION, CountersLayout.FILE_BYTES)
                && isEqual(memory, expected, CountersLayout.FIELD_TABLE_OFFSET, CountersLayout.GUEST_SLOT_COUNT)
                && isEqual(memory, expected, CountersLayout.HEADER_BYTES, described);
    }

    private static boolean isEqual(MemorySegment memory, MemorySegment expected, long from, long to) {
        return MemorySegment.mismatch(memory, from, to, expected, from, to) == -1;
    }
}
