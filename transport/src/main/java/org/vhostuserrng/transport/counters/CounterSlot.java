package org.vhostuserrng.transport.counters;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The values of one guest, or of the daemon, in the counters file. Each value is written with one aligned 8-byte store,
 * so a reader sees the old or the new value, never parts of both. Confined to the loop's thread.
 */
public final class CounterSlot {
    private static final int NOT_OF_A_GUEST = -1;

    private final MemorySegment values;
    private final int index;

    CounterSlot(MemorySegment values) {
        this(values, NOT_OF_A_GUEST);
    }

    /**
     * Creates the slot of a guest.
     *
     * @param index its index among the guests' slots in the file
     */
    CounterSlot(MemorySegment values, int index) {
        this.values = values;
        this.index = index;
    }

    int index() {
        return index;
    }

    /** Creates a slot of zeros on the Java heap, for tests. */
    public static CounterSlot ofHeap(int fields) {
        return new CounterSlot(MemorySegment.ofArray(new long[fields]));
    }

    /**
     * Sets a value.
     *
     * @param field index of the field in the list of daemon or guest fields
     */
    public void set(int field, long value) {
        values.set(ValueLayout.JAVA_LONG, (long) field * Long.BYTES, value);
    }

    /** Returns a value. The parameter is the same as in {@link #set}. */
    public long get(int field) {
        return values.get(ValueLayout.JAVA_LONG, (long) field * Long.BYTES);
    }
}
