package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the assessed min-entropy of a source is near the known value, or less. */
class KnownDefectsTest {
    private static final int SAMPLES = 60_000;
    /** With few samples, some estimates are too high by this factor. */
    private static final double TOLERANCE = 1.1;

    private final Random random = new Random(16);
    private final byte[] samples = new byte[SAMPLES];

    private interface Source {
        int next(int index);
    }

    private double assess(Source source) throws InterruptedException {
        for (int i = 0; i < SAMPLES; i++) {
            samples[i] = (byte) source.next(i);
        }
        return MinEntropyAssessment.of(samples, Byte.SIZE, () -> {}).perSample();
    }

    private static void assertAtMost(double truth, double estimate) {
        assertTrue(estimate <= TOLERANCE * truth, () -> "estimate " + estimate + " of a source of " + truth);
    }

    private int randomByte() {
        return random.nextInt(256);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 16})
    void everyByteSeveralTimes(int times) throws Exception {
        assertAtMost(8.0 / times, assess(i -> i % times == 0 ? randomByte() : samples[i - 1]));
    }

    @Test
    void pairsOfAByteAndItsComplement() throws Exception {
        assertAtMost(4, assess(i -> i % 2 == 0 ? randomByte() : ~samples[i - 1]));
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 0", "9, 0", "9, 255", "9, 1", "20, 255", "127, 0", "128, 170"})
    void byteThatDiffersInOneRandomBitFromAnEarlierOne(int lag, int mask) throws Exception {
        assertAtMost(1, assess(i -> i < lag ? randomByte() : samples[i - lag] ^ mask ^ random.nextInt(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 10_000})
    void analogToDigitalConverterThatDrifts(int period) throws Exception {
        double truth = -ConfidenceBound.log2(0.3829); // P(|x| < 1/2), x standard normal

        assertAtMost(truth, assess(i ->
                (int) Math.round(128 + 60 * StrictMath.sin(i / (double) period) + random.nextGaussian())));
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "17, 4"})
    void counterWithJitter(int step, int jitter) throws Exception {
        double truth = ConfidenceBound.log2(jitter);

        assertAtMost(truth, assess(i -> i == 0 ? 0 : samples[i - 1] + step + random.nextInt(jitter)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.6, 0.7, 0.9})
    void biasedBitsPackedIntoBytes(double one) throws Exception {
        assertAtMost(-8 * ConfidenceBound.log2(one), assess(_ -> {
            int packed = 0;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                packed = (packed << 1) | (random.nextDouble() < one ? 1 : 0);
            }
            return packed;
        }));
    }

    @Test
    void interleavedChannelsThatMoveByOneStep() throws Exception {
        assertAtMost(1, assess(i -> i < 4 ? 100 : samples[i - 4] + (random.nextBoolean() ? 1 : -1)));
    }

    @Test
    void interleavedChannelsOfWhichOneIsRandom() throws Exception {
        assertAtMost(2, assess(i -> i % 4 == 0 ? randomByte() : 50 * (i % 4)));
    }

    @Test
    void linearFeedbackShiftRegisterWithShortPeriod() throws Exception {
        int[] state = {0xace1};

        double estimate = assess(_ -> {
            int output = 0;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                output = (output << 1) | (state[0] & 1);
                state[0] = (state[0] >>> 1) ^ (-(state[0] & 1) & 0xb400);
            }
            return output;
        });

        assertEquals(0, estimate, 0.001);
    }

    @Test
    void repeatedSequence() throws Exception {
        assertEquals(0, assess(i -> i < 20_000 ? randomByte() : samples[i - 20_000]), 0.01);
    }

    @Test
    void constant() throws Exception {
        assertEquals(0, assess(_ -> 7));
    }

    @Test
    void idealSourceIsNotMuchBelowItsTruth() throws Exception {
        assertTrue(assess(_ -> randomByte()) > 6);
    }

    @ParameterizedTest
    @ValueSource(ints = {129, 1000, 29_000})
    void byteThatDiffersInOneOfItsBitsFromAMuchEarlierOne(int lag) throws Exception {
        assertAtMost(3, assess(i -> i < lag ? randomByte() : samples[i - lag] ^ 1 << random.nextInt(8)));
    }

    @ParameterizedTest
    @CsvSource({"3, 7", "1, 30", "31, 32"})
    void sumOfTwoEarlierBytesWithNoise(int one, int other) throws Exception {
        assertAtMost(
                1, assess(i -> i < other ? randomByte() : samples[i - one] + samples[i - other] + random.nextInt(2)));
    }

    @Test
    void differenceOfTwoEarlierBytesWithNoise() throws Exception {
        assertAtMost(1, assess(i -> i < 25 ? randomByte() : samples[i - 9] - samples[i - 25] + random.nextInt(2)));
    }

    @ParameterizedTest
    @CsvSource({"23, 18, false", "127, 63, false", "31, 28, true"})
    void shiftRegisterWithNoise(int one, int other, boolean leastSignificantFirst) throws Exception {
        boolean[] bits = new boolean[Byte.SIZE * SAMPLES];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = i < one ? random.nextBoolean() : bits[i - one] ^ bits[i - other] ^ random.nextInt(10) == 0;
        }

        assertAtMost(-8 * ConfidenceBound.log2(0.9), assess(i -> {
            int value = 0;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                int shift = leastSignificantFirst ? bit : Byte.SIZE - 1 - bit;
                value |= bits[Byte.SIZE * i + bit] ? 1 << shift : 0;
            }
            return value;
        }));
    }

    /** Returns a random permutation of the bytes. */
    private int[] permutation() {
        int[] table = IntStream.range(0, 256).toArray();
        for (int i = 255; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int value = table[i];
            table[i] = table[other];
            table[other] = value;
        }
        return table;
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 40, 1000, LaggedTransitionEstimate.MAX_LAG})
    void byteThatATableMapsFromOneDistantByteHalfTheTime(int lag) throws Exception {
        int[] table = permutation();

        assertAtMost(1, assess(i -> i < lag || random.nextBoolean() ? randomByte() : table[samples[i - lag] & 0xff]));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void independentSamplesHaveNoLaggedTransition(long seed) {
        // Not Random, whose bytes depend on the bytes 4096 places earlier.
        SplittableRandom independent = new SplittableRandom(seed);
        byte[] uniform = new byte[SAMPLES];
        independent.nextBytes(uniform);
        byte[] biased = new byte[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            biased[i] = (byte) Math.abs(independent.nextGaussian() * 2);
        }

        assertEquals(Double.NaN, LaggedTransitionEstimate.of(uniform, Byte.SIZE));
        assertEquals(Double.NaN, LaggedTransitionEstimate.of(biased, Byte.SIZE));
    }

    @Test
    void supplementaryEstimatesOfUniformBytesAreNotTheSmallest() throws Exception {
        for (int i = 0; i < SAMPLES; i++) {
            samples[i] = (byte) randomByte();
        }
        MinEntropyAssessment assessment = MinEntropyAssessment.of(samples, Byte.SIZE, () -> {});

        assertEquals(Math.min(assessment.ofSamples(), 8 * assessment.ofBits()), assessment.perSample());
    }
}
