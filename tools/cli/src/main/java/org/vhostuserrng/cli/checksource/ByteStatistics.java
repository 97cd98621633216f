package org.vhostuserrng.cli.checksource;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.cli.checksource.validation.ChiSquareDistribution;

/** Statistics of a sequence of bytes and of its bits, most significant bit first. */
final class ByteStatistics {
    static final int VALUES = 256;

    private static final int NONE = -1;

    private final long[] count = new long[VALUES];
    private final long[][] transitions = new long[2][2];
    private long bytes;
    private int lastBit = NONE;
    private long run;
    private long longestRun;

    void add(MemorySegment segment, int length) {
        for (int i = 0; i < length; i++) {
            add(Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, i)));
        }
    }

    void add(int value) {
        count[value]++;
        bytes++;
        for (int shift = Byte.SIZE - 1; shift >= 0; shift--) {
            addBit(value >>> shift & 1);
        }
    }

    private void addBit(int bit) {
        if (lastBit != NONE) {
            transitions[lastBit][bit]++;
        }
        run = bit == lastBit ? run + 1 : 1;
        longestRun = Math.max(longestRun, run);
        lastBit = bit;
    }

    long bytes() {
        return bytes;
    }

    long bits() {
        return bytes * Byte.SIZE;
    }

    /** Number of occurrences of the most common byte value. */
    long mostCommonByte() {
        long most = 0;
        for (long each : count) {
            most = Math.max(most, each);
        }
        return most;
    }

    long ones() {
        long ones = 0;
        for (int value = 0; value < VALUES; value++) {
            ones += count[value] * Integer.bitCount(value);
        }
        return ones;
    }

    /** Number of bits of value {@code from} that are followed by a bit of value {@code to}. */
    long transitions(int from, int to) {
        return transitions[from][to];
    }

    /** Length of the longest run of equal bits. */
    long longestRun() {
        return longestRun;
    }

    /**
     * Pearson's chi-square statistic for the hypothesis that bytes are uniformly distributed, with {@link #VALUES} − 1
     * degrees of freedom.
     */
    double chiSquare() {
        double expected = (double) bytes / VALUES;
        double sum = 0;
        for (long each : count) {
            sum += (each - expected) * (each - expected) / expected;
        }
        return sum;
    }

    /**
     * Probability that an ideal source has a larger chi-square statistic: near 0 if the bytes are biased, near 1 if
     * they are too uniform to be random.
     */
    double chiSquareProbability() {
        return ChiSquareDistribution.upperTail(chiSquare(), VALUES - 1);
    }
}
