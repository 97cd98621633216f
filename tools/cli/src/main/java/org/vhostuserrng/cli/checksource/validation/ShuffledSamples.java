package org.vhostuserrng.cli.checksource.validation;

import java.util.SplittableRandom;

/**
 * Samples in some order, in the forms that the statistics of SP 800-90B §5.1 need. A form is computed when it is first
 * needed after a shuffle. Confined to one thread.
 */
final class ShuffledSamples {
    private static final int BYTE_VALUES = 256;

    private final byte[] values;
    private final boolean binary;
    /** Samples below it are on the lower side; twice the median, so that it is an integer. */
    private final int twiceMedian;

    private byte[] weights;
    private byte[] packed;
    private boolean[] directions;
    private boolean[] sides;

    /**
     * Samples in the given order.
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

    /** The value of this rank in the order of the values. */
    private static int valueAt(int[] counts, int rank) {
        int value = 0;
        for (int below = counts[0]; below <= rank; below += counts[value]) {
            value++;
        }
        return value;
    }

    /** §5.1: a uniformly random permutation, by the Fisher-Yates shuffle. */
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

    /** The samples. */
    byte[] values() {
        return values;
    }

    /** The samples; if they are bits, the number of ones in each 8 of them (Conversion I). */
    byte[] weights() {
        if (weights == null) {
            weights = binary ? converted(true) : values;
        }
        return weights;
    }

    /** The samples; if they are bits, 8 of them in a byte (Conversion II). */
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

    /** For each pair of adjacent elements of {@link #weights}: whether the second is not smaller than the first. */
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

    /** Whether each sample is not below the median. */
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
