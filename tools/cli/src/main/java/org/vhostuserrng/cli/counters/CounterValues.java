package org.vhostuserrng.cli.counters;

import java.nio.ByteBuffer;
import java.util.Map;

/** The values in the slot of a guest or of the daemon, by the names of their fields. */
public final class CounterValues {
    private static final double NANOS_PER_SECOND = 1e9;

    private final ByteBuffer file;
    private final int slot;
    private final Map<String, Integer> offsets;

    CounterValues(ByteBuffer file, int slot, Map<String, Integer> offsets) {
        this.file = file;
        this.slot = slot;
        this.offsets = offsets;
    }

    /** Returns the value of a field, at least 0; 0 if the file has no such field. */
    public long get(String field) {
        Integer offset = offsets.get(field);
        return offset == null ? 0 : Math.max(0, file.getLong(slot + offset));
    }

    /** Returns the value, in seconds, of a field that is in nanoseconds. */
    public double seconds(String field) {
        return get(field) / NANOS_PER_SECOND;
    }
}
