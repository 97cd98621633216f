package org.vhostuserrng.cli.checksource.estimator;

/**
 * The last 16 symbols, packed into 128 bits. Each tuple that ends with the last symbol is a number that can be the key
 * of a table.
 */
final class SymbolHistory {
    /** Number of symbols in the history. */
    static final int SYMBOLS = 16;

    private final int symbolBits;
    private long high;
    private long low;

    SymbolHistory(int alphabetSize) {
        symbolBits = Math.max(1, Integer.SIZE - Integer.numberOfLeadingZeros(alphabetSize - 1));
    }

    /** Number of bits of a tuple of {@code symbols} symbols. */
    int bits(int symbols) {
        return symbols * symbolBits;
    }

    void push(int symbol) {
        high = (high << symbolBits) | (low >>> (Long.SIZE - symbolBits));
        low = (low << symbolBits) | symbol;
    }

    /** The upper 64 of the 128 bits of the tuple of the last {@code symbols} symbols. */
    long high(int symbols) {
        int bits = bits(symbols) - Long.SIZE;
        return bits <= 0 ? 0 : high & mask(bits);
    }

    /** The lower 64 of the 128 bits of the tuple of the last {@code symbols} symbols. */
    long low(int symbols) {
        return low & mask(bits(symbols));
    }

    private static long mask(int bits) {
        return bits >= Long.SIZE ? -1 : (1L << bits) - 1;
    }
}
