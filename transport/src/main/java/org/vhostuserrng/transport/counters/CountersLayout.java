package org.vhostuserrng.transport.counters;

import java.util.List;

/**
 * Offsets in the counters file: a header, a table of fields, the slot of the daemon, and one slot per guest. All
 * numbers are 8-byte integers in native byte order, aligned to 8 bytes; texts are padded with NUL bytes.
 */
final class CountersLayout {
    /** The bytes "vhurngct" in little-endian order. */
    static final long MAGIC_NUMBER = 0x7463676e72756876L;

    static final long VERSION_1 = 1;

    // Offsets in the header.
    static final long MAGIC = 0;
    static final long VERSION = 8;
    static final long FILE_BYTES = 16;
    static final long FIELD_TABLE_OFFSET = 24;
    static final long FIELD_BYTES = 32;
    static final long FIELD_COUNT = 40;
    static final long DAEMON_SLOT_OFFSET = 48;
    static final long GUEST_SLOTS_OFFSET = 56;
    static final long GUEST_SLOT_BYTES = 64;
    static final long GUEST_SLOT_COUNT = 72;
    static final long PID = 80;
    static final long START_REALTIME = 88;
    static final long START_MONOTONIC = 96;
    static final long RESTARTS = 104;
    static final long STOP_REALTIME = 112;
    static final long HEADER_BYTES = 128;

    // Offsets in an entry of the table of fields.
    static final long FIELD_SCOPE = 0;
    static final long FIELD_KIND = 8;
    static final long FIELD_OFFSET = 16;
    static final long FIELD_UPPER_BOUND = 24;
    static final long FIELD_NAME = 32;
    static final int FIELD_NAME_BYTES = 48;
    static final long FIELD_UNIT = 80;
    static final int FIELD_UNIT_BYTES = 16;
    static final long FIELD_ENTRY_BYTES = 96;
    static final long SCOPE_DAEMON = 0;
    static final long SCOPE_GUEST = 1;

    // Offsets in the slot of a guest. The slot of the daemon has values only.
    /** Sequence number: 0 if the slot is free, odd while its name changes, even if the slot is valid. */
    static final long SLOT_SEQUENCE = 0;

    static final long SLOT_SERVED = 8;
    static final long SLOT_NAME_LENGTH = 16;
    static final long SLOT_NAME = 24;
    static final int SLOT_NAME_BYTES = 256;
    static final long SLOT_VALUES = 320;

    /** The size of a cache line, so that two slots do not share one. */
    private static final long SLOT_ALIGNMENT = 64;

    private final List<CounterField> daemonFields;
    private final List<CounterField> guestFields;

    CountersLayout(List<CounterField> daemonFields, List<CounterField> guestFields) {
        this.daemonFields = List.copyOf(daemonFields);
        this.guestFields = List.copyOf(guestFields);
    }

    List<CounterField> daemonFields() {
        return daemonFields;
    }

    List<CounterField> guestFields() {
        return guestFields;
    }

    long fieldCount() {
        return (long) daemonFields.size() + guestFields.size();
    }

    long daemonSlotOffset() {
        return aligned(HEADER_BYTES + fieldCount() * FIELD_ENTRY_BYTES);
    }

    long guestSlotsOffset() {
        return aligned(daemonSlotOffset() + daemonFields.size() * (long) Long.BYTES);
    }

    long guestSlotBytes() {
        return aligned(SLOT_VALUES + guestFields.size() * (long) Long.BYTES);
    }

    long guestSlotOffset(int slot) {
        return guestSlotsOffset() + slot * guestSlotBytes();
    }

    long fileBytes(int slots) {
        return guestSlotOffset(slots);
    }

    private static long aligned(long offset) {
        return (offset + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
    }
}
