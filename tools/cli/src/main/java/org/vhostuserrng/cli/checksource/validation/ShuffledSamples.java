package org.vhostuserrng.cli.checksource.validation;

import java.util.SplittableRandom;

/**
 * Samples in any order, in the forms that the statistics of SP 800-90B §5.1 need. After a shuffle, a form is computed
 * when it is first needed. Confined to one thread.
 */
final class ShuffledSamples {
    private static final int BYTE_VALUES = 256;

    private final byte[] values;
    private final boolean binary;
    /** Twice the median, because the median of an even number of samples need not be an integer. */
    private final int twiceMedian;

    private byte[] weights;
    private byte[] packed;
    private boolean[] directions;
    private boolean[] sides;

    /**
     * Creates samples in the given order.
     *
     * @param binary whether all values are 0 or 1
     */
    ShuffledSamples(byte[] samples, boolean binary) {
        values = samples.clone();
        this.binary = binary;
        // §5.1.5: the median of binary samples is 0.5.
        twiceMedian = binary ? 1 : twiceMedian(samples);
    }

    private static int twiceMedian(byte[] samples) {
        int[] counts = new int[BYTE_VALUES];
        for (byte sample : samples) {
            counts[sample & 0xff]++;
        }
        return valueAt(counts, (samples.length - 1) / 2) + valueAt(counts, samples.length / 2);
    }

    /** Returns the value at index {@code rank} of the sorted samples. */
    private static int valueAt(int[] counts, int rank) {
        int value = 0;
        for (int below = counts[0]; below <= rank; below += counts[value]) {
            value++;
        }
        return value;
    }

    /** §5.1: permutes the samples uniformly at random with the Fisher-Yates shuffle. */
    void shuffle(SplittableRandom random) {
        for (int i = values.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            byte swapped = values[i];
            values[i] = values[other];
            values[other] = swapped;
        }
        weights = null;
        packed = null;
        directions = null;
        sides = null;
    }

    /** The samples, one per byte. */
    byte[] values() {
        return values;
    }

    /** The samples; for binary samples, the number of ones in each group of 8 (Conversion I). */
    byte[] weights() {
        if (weights == null) {
            weights = binary ? converted(true) : values;
        }
        return weights;
    }

    /** The samples; for binary samples, 8 of them packed into each byte (Conversion II). */
    byte[] packed() {
        if (packed == null) {
            packed = binary ? converted(false) : values;
        }
        return packed;
    }

    private byte[] converted(boolean weight) {
        byte[] bytes = new byte[(values.length + Byte.SIZE - 1) / Byte.SIZE];
        for (int i = 0; i < bytes.length * Byte.SIZE; i++) {
            int bit = i < values.length ? values[i] : 0;
            bytes[i / Byte.SIZE] = (byte) (weight ? bytes[i / Byte.SIZE] + bit : bytes[i / Byte.SIZE] << 1 | bit);
        }
        return bytes;
    }

    /**
     * For each pair of adjacent elements of {@link #weights}, whether the second is greater than or equal to the first.
     */
    boolean[] directions() {
        if (directions == null) {
            byte[] of = weights();
            directions = new boolean[of.length - 1];
            for (int i = 0; i < directions.length; i++) {
                directions[i] = (of[i] & 0xff) <= (of[i + 1] & 0xff);
            }
        }
        return directions;
    }

    /** For each sample, whether it is greater than or equal to the median. */
    boolean[] sides() {
        if (sides == null) {
            sides = new boolean[values.length];
            for (int i = 0; i < sides.length; i++) {
                sides[i] = 2 * (values[i] & 0xff) >= twiceMedian;
            }
        }
        return sides;
    }
}
