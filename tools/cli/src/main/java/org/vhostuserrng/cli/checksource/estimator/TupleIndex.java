package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Numbers tuples of up to 128 bits in the order in which they are added. Short tuples are indexes of an array; longer
 * tuples are in an open-addressing hash table. Confined to one thread.
 */
final class TupleIndex {
    static final int ABSENT = -1;

    private static final int DIRECT_BITS = 16;
    private static final int MIN_TABLE = 1 << 10;

    private final boolean direct;
    private int[] table;
    private long[] highKeys = new long[16];
    private long[] lowKeys = new long[16];
    private int size;

    /** Creates an empty index for tuples of {@code bits} bits. */
    TupleIndex(int bits) {
        direct = bits <= DIRECT_BITS;
        table = newTable(direct ? 1 << bits : MIN_TABLE);
    }

    private static int[] newTable(int length) {
        int[] table = new int[length];
        Arrays.fill(table, ABSENT);
        return table;
    }

    int size() {
        return size;
    }

    /** Returns the number of a tuple; {@link #ABSENT} if it was not added. */
    int find(long high, long low) {
        return table[slot(high, low)];
    }

    /** Adds a tuple, which must be absent, and returns its number. */
    int add(long high, long low) {
        if (!direct && 2 * size >= table.length) {
            grow();
        }
        table[slot(high, low)] = size;
        if (!direct) {
            if (size == lowKeys.length) {
                highKeys = Arrays.copyOf(highKeys, 2 * size);
                lowKeys = Arrays.copyOf(lowKeys, 2 * size);
            }
            highKeys[size] = high;
            lowKeys[size] = low;
        }
        return size++;
    }

    private int slot(long high, long low) {
        if (direct) {
            return (int) low;
        }
        int mask = table.length - 1;
        int slot = hash(high, low) & mask;
        while (table[slot] != ABSENT && (lowKeys[table[slot]] != low || highKeys[table[slot]] != high)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private static int hash(long high, long low) {
        long mixed = (low ^ (high * 0xc2b2_ae3d_27d4_eb4fL)) * 0x9e37_79b9_7f4a_7c15L;
        return (int) ((mixed >>> 32) ^ (mixed >>> 15));
    }

    private void grow() {
        table = newTable(2 * table.length);
        for (int i = 0; i < size; i++) {
            table[slot(highKeys[i], lowKeys[i])] = i;
        }
    }
}
