package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Counts the symbols that followed each tuple of one length, and finds the most common one. If several symbols are
 * equally common, the greatest is used. Confined to one thread.
 */
final class SuccessorCounts {
    /** For a larger alphabet, a table with all symbols of each tuple would need too much memory. */
    private static final int SMALL_ALPHABET = 4;

    private static final int SYMBOL_BITS = 8;

    private final TupleIndex tuples;
    private final int alphabetSize;
    /** For a large alphabet: maps each pair of a tuple and a symbol to its number. */
    private final TupleIndex pairNumbers = new TupleIndex(Long.SIZE);

    private int[] pairCounts = new int[64];
    private int pairs;
    private int[] mostCommon = new int[16];
    private int[] mostCommonCounts = new int[16];

    /**
     * Creates an object without counts.
     *
     * @param tupleBits width of a tuple in bits, 1 to 128
     */
    SuccessorCounts(int tupleBits, int alphabetSize) {
        tuples = new TupleIndex(tupleBits);
        this.alphabetSize = alphabetSize;
    }

    /** Number of different pairs of a tuple and a symbol. */
    int pairs() {
        return pairs;
    }

    /** Returns the number of a tuple; {@link TupleIndex#ABSENT} if it was not added. */
    int find(long high, long low) {
        return tuples.find(high, low);
    }

    /** Adds a tuple, which must be absent, and returns its number. */
    int addTuple(long high, long low) {
        int tuple = tuples.add(high, low);
        if (tuple == mostCommon.length) {
            mostCommon = Arrays.copyOf(mostCommon, 2 * tuple);
            mostCommonCounts = Arrays.copyOf(mostCommonCounts, 2 * tuple);
        }
        return tuple;
    }

    /** Returns the symbol that most often followed a tuple, which must have a count. */
    int mostCommon(int tuple) {
        return mostCommon[tuple];
    }

    int mostCommonCount(int tuple) {
        return mostCommonCounts[tuple];
    }

    /**
     * Counts a symbol that followed a tuple. Does nothing if the pair is new and there are already {@code maxPairs}
     * pairs.
     */
    void count(int tuple, int symbol, int maxPairs) {
        int pair = pairNumber(tuple, symbol, pairs < maxPairs);
        if (pair == TupleIndex.ABSENT) {
            return;
        }
        if (pair >= pairCounts.length) {
            pairCounts = Arrays.copyOf(pairCounts, Math.max(pair + 1, 2 * pairCounts.length));
        }
        pairs += pairCounts[pair] == 0 ? 1 : 0;
        int count = ++pairCounts[pair];
        if (count > mostCommonCounts[tuple] || (count == mostCommonCounts[tuple] && symbol > mostCommon[tuple])) {
            mostCommonCounts[tuple] = count;
            mostCommon[tuple] = symbol;
        }
    }

    private int pairNumber(int tuple, int symbol, boolean mayAdd) {
        if (alphabetSize <= SMALL_ALPHABET) {
            int pair = tuple * alphabetSize + symbol;
            return mayAdd || (pair < pairCounts.length && pairCounts[pair] > 0) ? pair : TupleIndex.ABSENT;
        }
        long key = ((long) tuple << SYMBOL_BITS) | symbol;
        int known = pairNumbers.find(0, key);
        return known == TupleIndex.ABSENT && mayAdd ? pairNumbers.add(0, key) : known;
    }
}
