package org.vhostuserrng.cli.checksource.estimator;

/**
 * Samples whose values are numbered from 0 without gaps, in the order of their values. Immutable, because nobody
 * changes the array. Any thread.
 */
public final class SymbolSequence {
    private static final int BYTE_VALUES = 256;

    private final byte[] symbols;
    private final int alphabetSize;

    private SymbolSequence(byte[] symbols, int alphabetSize) {
        this.symbols = symbols;
        this.alphabetSize = alphabetSize;
    }

    /** The samples as they are, one a byte; values that do not occur have no symbol. */
    public static SymbolSequence ofSamples(byte[] samples) {
        boolean[] occurs = new boolean[BYTE_VALUES];
        for (byte sample : samples) {
            occurs[sample & 0xff] = true;
        }
        byte[] symbolOf = new byte[BYTE_VALUES];
        int size = 0;
        for (int value = 0; value < BYTE_VALUES; value++) {
            if (occurs[value]) {
                symbolOf[value] = (byte) size;
                size++;
            }
        }
        byte[] symbols = new byte[samples.length];
        for (int i = 0; i < samples.length; i++) {
            symbols[i] = symbolOf[samples[i] & 0xff];
        }
        return new SymbolSequence(symbols, size);
    }

    /**
     * The bits of the samples, most significant bit first.
     *
     * @param width number of low bits of a byte that belong to a sample, 1 to 8
     */
    public static SymbolSequence ofBits(byte[] samples, int width) {
        byte[] bits = new byte[Math.multiplyExact(samples.length, width)];
        int next = 0;
        for (byte sample : samples) {
            for (int shift = width - 1; shift >= 0; shift--) {
                bits[next] = (byte) (sample >>> shift & 1);
                next++;
            }
        }
        return new SymbolSequence(bits, 2);
    }

    /** Number of symbols in the sequence (L). */
    public int length() {
        return symbols.length;
    }

    /** Number of different symbols (k), at most 256. */
    public int alphabetSize() {
        return alphabetSize;
    }

    /** The symbol at {@code index}, 0 to {@code alphabetSize − 1}. */
    public int at(int index) {
        return symbols[index] & 0xff;
    }

    /** Number of occurrences of each symbol. */
    public int[] counts() {
        int[] counts = new int[alphabetSize];
        for (byte symbol : symbols) {
            counts[symbol & 0xff]++;
        }
        return counts;
    }

    /** Number of occurrences of the most common symbol. */
    public int mostCommonCount() {
        int most = 0;
        for (int count : counts()) {
            most = Math.max(most, count);
        }
        return most;
    }
}
