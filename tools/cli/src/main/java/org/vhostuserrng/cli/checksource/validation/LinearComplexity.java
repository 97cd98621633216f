package org.vhostuserrng.cli.checksource.validation;

/**
 * The length of the shortest linear feedback shift register that generates a sequence of bits (Massey: Shift-Register
 * Synthesis and BCH Decoding, 1969). For random bits it is half the length of the sequence.
 *
 * <p>Not a test of SP 800-90B, whose estimators do not recognize the output of such registers. Any entropy makes the
 * complexity large, because a bit that the register does not predict requires a longer register.
 */
public final class LinearComplexity {
    /** Maximum number of bits that are tested. */
    private static final int MAX_BITS = 1 << 16;
    /** The test fails if the complexity is less than 1/4 of that of random bits, which is half the number of bits. */
    private static final int SHARE = 4;

    private final int length;
    /** The sequence, the last bit first. */
    private final long[] reversed;

    private LinearComplexity(int length) {
        this.length = length;
        reversed = new long[length / Long.SIZE + 2];
    }

    /** Tests the first bits of the samples, with the most and with the least significant bit of a sample first. */
    public static TestResult test(byte[] samples, int width) {
        int complexity = Math.min(of(samples, width, true), of(samples, width, false));
        int bits = Math.min(MAX_BITS, samples.length * width);
        boolean passed = complexity >= bits / 2 / SHARE;
        return new TestResult(
                "linear complexity (not of SP 800-90B)",
                passed,
                passed
                        ? ""
                        : "a linear recurrence of " + complexity + " bits generates all of the first " + bits
                                + " bits");
    }

    /**
     * Returns the bits per bit, at most 1, that are needed to generate the first bits of the samples: the feedback and
     * the initial state of the register.
     */
    public static double minEntropy(byte[] samples, int width) {
        int complexity = Math.min(of(samples, width, true), of(samples, width, false));
        return Math.min(1, 2.0 * complexity / Math.min(MAX_BITS, samples.length * width));
    }

    /** Returns the linear complexity of the first bits of the samples. */
    static int of(byte[] samples, int width, boolean mostSignificantFirst) {
        LinearComplexity sequence = new LinearComplexity(Math.min(MAX_BITS, samples.length * width));
        for (int i = 0; i < sequence.length; i++) {
            int bit = i % width;
            int shift = mostSignificantFirst ? width - 1 - bit : bit;
            if ((samples[i / width] >>> shift & 1) == 1) {
                int place = sequence.length - 1 - i;
                sequence.reversed[place / Long.SIZE] |= 1L << place;
            }
        }
        return sequence.compute();
    }

    private int compute() {
        long[] connection = new long[reversed.length];
        long[] before = new long[reversed.length];
        connection[0] = 1;
        before[0] = 1;
        int complexity = 0;
        int shift = 1;
        for (int i = 0; i < length; i++) {
            if (isPredicted(connection, complexity, i)) {
                shift++;
            } else if (2 * complexity <= i) {
                long[] previous = connection.clone();
                addShifted(connection, before, shift);
                complexity = i + 1 - complexity;
                before = previous;
                shift = 1;
            } else {
                addShifted(connection, before, shift);
                shift++;
            }
        }
        return complexity;
    }

    /** Whether the register with these connections predicts the bit at {@code index}. */
    private boolean isPredicted(long[] connection, int complexity, int index) {
        int place = length - 1 - index;
        int word = place / Long.SIZE;
        int offset = place % Long.SIZE;
        long sum = 0;
        for (int i = 0; i <= complexity / Long.SIZE && word + i < reversed.length; i++) {
            long bits = reversed[word + i] >>> offset;
            if (offset > 0 && word + i + 1 < reversed.length) {
                bits |= reversed[word + i + 1] << (Long.SIZE - offset);
            }
            sum ^= connection[i] & bits;
        }
        return Long.bitCount(sum) % 2 == 0;
    }

    /** Adds {@code other · x^shift} to a polynomial over GF(2). */
    private static void addShifted(long[] polynomial, long[] other, int shift) {
        int words = shift / Long.SIZE;
        int offset = shift % Long.SIZE;
        for (int i = polynomial.length - 1; i >= words; i--) {
            polynomial[i] ^= other[i - words] << offset;
            if (offset > 0 && i > words) {
                polynomial[i] ^= other[i - words - 1] >>> (Long.SIZE - offset);
            }
        }
    }
}
