package org.vhostuserrng.cli.checksource.estimator;

import java.util.Random;

/** Reproducible samples of sources with different defects. The reference results are valid for exactly these bytes. */
enum GeneratedSamples {
    /** Independent uniform bytes. */
    UNIFORM_8(8) {
        @Override
        int next(Random random, byte[] before, int index) {
            return random.nextInt(256);
        }
    },
    /** Independent 4-bit samples, of which 0 is the most likely. */
    BIASED_4(4) {
        @Override
        int next(Random random, byte[] before, int index) {
            int mask = random.nextInt(16);
            return mask & random.nextInt(16);
        }
    },
    /** Bits that repeat the previous bit with probability 7/8. */
    STICKY_1(1) {
        @Override
        int next(Random random, byte[] before, int index) {
            boolean repeats = index > 0 && random.nextInt(8) > 0;
            return repeats ? before[index - 1] : random.nextInt(2);
        }
    },
    /** Samples of an 8-bit ADC with normal noise around a level that drifts. Not all values occur. */
    DRIFTING_8(8) {
        @Override
        int next(Random random, byte[] before, int index) {
            int level = 128 + (int) (60 * StrictMath.sin(index / 3000.0));
            return level + random.nextInt(3) + random.nextInt(3);
        }
    },
    /** Bytes that are the inverse of the byte nine places earlier, except for a random lowest bit. */
    LAG_9(8) {
        @Override
        int next(Random random, byte[] before, int index) {
            return index < 9 ? random.nextInt(256) : (~before[index - 9] & 0xfe) | random.nextInt(2);
        }
    };

    private static final int LENGTH = 20_000;

    private final int width;

    GeneratedSamples(int width) {
        this.width = width;
    }

    abstract int next(Random random, byte[] before, int index);

    int width() {
        return width;
    }

    byte[] bytes() {
        Random random = new Random(90);
        byte[] bytes = new byte[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            bytes[i] = (byte) next(random, bytes, i);
        }
        return bytes;
    }
}
