package org.vhostuserrng.cli.checksource.estimator;

/**
 * A sequence of symbols: the values that occur in the samples, numbered from 0 without gaps, in the order of the
 * values. Immutable; any thread may use it.
 */
public final class SymbolSequence {
    private static final int BYTE_VALUES = 256;

    private final byte[] symbols;
    private final int alphabetSize;

    private SymbolSequence(byte[] symbols, int alphabetSize) {
        this.symbols = symbols;
        this.alphabetSize = alphabetSize;
    }

    /** Returns the samples, one per byte, as symbols. Values that do not occur get no symbol. */
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
     * Returns the bits of the samples as symbols, most significant bit first.
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

    /** The symbol at {@code index}: a number from 0 to {@code alphabetSize − 1}. */
    public int at(int index) {
        return symbols[index] & 0xff;
    }

    /** Number of occurrences, by symbol. */
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
