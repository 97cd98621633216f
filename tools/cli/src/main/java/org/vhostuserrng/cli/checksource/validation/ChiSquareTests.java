package org.vhostuserrng.cli.checksource.validation;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.vhostuserrng.cli.checksource.estimator.SymbolSequence;

/**
 * The chi-square tests of SP 800-90B §5.2.1 to §5.2.4: they test whether samples are independent and whether all parts
 * of the samples have the same distribution.
 */
final class ChiSquareTests {
    /** §5.2: probability that IID samples fail the test. */
    private static final double ALPHA = 0.001;
    /** §5.2: minimum expected count of a bin. */
    private static final double MIN_EXPECTED = 5;
    /** §5.2.2, §5.2.4: number of parts into which the samples are divided. */
    private static final int PARTS = 10;
    /** §5.2.3: maximum length of a block in bits. */
    private static final int MAX_BLOCK = 11;

    private final SymbolSequence samples;
    private final double[] shares;

    private ChiSquareTests(SymbolSequence samples) {
        this.samples = samples;
        shares = counts(0, samples.length());
        for (int i = 0; i < shares.length; i++) {
            shares[i] /= samples.length();
        }
    }

    static List<TestResult> of(SymbolSequence samples) {
        ChiSquareTests tests = new ChiSquareTests(samples);
        return samples.alphabetSize() == 2
                ? List.of(tests.binaryIndependence(), tests.goodnessOfFit("5.2.4"))
                : List.of(tests.independence(), tests.goodnessOfFit("5.2.2"));
    }

    private double[] counts(int from, int to) {
        double[] counts = new double[samples.alphabetSize()];
        for (int i = from; i < to; i++) {
            counts[samples.at(i)]++;
        }
        return counts;
    }

    /** §5.2.1: tests whether the two samples of a pair of adjacent samples are independent. */
    private TestResult independence() {
        int symbols = samples.alphabetSize();
        int pairs = samples.length() / 2;
        double[] expected = new double[symbols * symbols];
        double[] observed = new double[symbols * symbols];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = shares[i / symbols] * shares[i % symbols] * pairs;
        }
        for (int i = 0; i < pairs; i++) {
            observed[samples.at(2 * i) * symbols + samples.at(2 * i + 1)]++;
        }
        int[] bins = bins(expected);
        TestResult result = result("5.2.1 independence", chiSquare(expected, observed, bins), binCount(bins) - symbols);
        // If a bin contains many pairs, its expectation depends less on the samples than the degrees of freedom assume.
        boolean tooStrict = pairs < MIN_EXPECTED * expected.length;
        return tooStrict && !result.passed()
                ? new TestResult(result.name(), false, result.detail() + "; too strict for so few samples")
                : result;
    }

    /** §5.2.2 and, for bits, §5.2.4: tests whether each tenth of the samples has the distribution of all samples. */
    private TestResult goodnessOfFit(String section) {
        int length = samples.length() / PARTS;
        double[] expected = new double[shares.length];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = shares[i] * length;
        }
        int[] bins = bins(expected);
        double chiSquare = 0;
        for (int part = 0; part < PARTS; part++) {
            chiSquare += chiSquare(expected, counts(part * length, (part + 1) * length), bins);
        }
        return result(section + " goodness of fit", chiSquare, (PARTS - 1) * (binCount(bins) - 1));
    }

    /** §5.2.3: tests whether the bits of a block of adjacent bits are independent. */
    private TestResult binaryIndependence() {
        double least = Math.min(shares[0], shares[1]);
        int block = MAX_BLOCK;
        while (block > 1 && Math.pow(least, block) * Math.floorDiv(samples.length(), block) < MIN_EXPECTED) {
            block--;
        }
        if (block == 1) {
            return new TestResult(name("5.2.3 independence"), false, "one of the bits is too rare for the test");
        }
        int blocks = samples.length() / block;
        double[] observed = new double[1 << block];
        for (int i = 0; i < blocks; i++) {
            int value = 0;
            for (int j = 0; j < block; j++) {
                value = value << 1 | samples.at(i * block + j);
            }
            observed[value]++;
        }
        double chiSquare = 0;
        for (int value = 0; value < observed.length; value++) {
            int ones = Integer.bitCount(value);
            double expected = Math.pow(shares[1], ones) * Math.pow(shares[0], block - ones) * blocks;
            chiSquare += (observed[value] - expected) * (observed[value] - expected) / expected;
        }
        return result("5.2.3 independence", chiSquare, observed.length - 2);
    }

    /**
     * Returns the bin of each value. Values are added to a bin, the rarest value first, until the expected count of the
     * bin is at least 5. If too few values remain for another bin, they are added to the last one.
     */
    private static int[] bins(double[] expected) {
        int[] order = IntStream.range(0, expected.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> expected[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double total = Arrays.stream(expected).sum();
        int[] bins = new int[expected.length];
        int bin = 0;
        double inBin = 0;
        double before = 0;
        for (int value : order) {
            boolean enoughLeft = total - before >= MIN_EXPECTED;
            if (inBin >= MIN_EXPECTED && enoughLeft) {
                bin++;
                inBin = 0;
            }
            bins[value] = bin;
            inBin += expected[value];
            before += expected[value];
        }
        return bins;
    }

    private static int binCount(int[] bins) {
        return 1 + Arrays.stream(bins).max().orElse(0);
    }

    private static double chiSquare(double[] expected, double[] observed, int[] bins) {
        double[] expectedInBin = new double[binCount(bins)];
        double[] observedInBin = new double[expectedInBin.length];
        for (int i = 0; i < bins.length; i++) {
            expectedInBin[bins[i]] += expected[i];
            observedInBin[bins[i]] += observed[i];
        }
        double chiSquare = 0;
        for (int i = 0; i < expectedInBin.length; i++) {
            double difference = observedInBin[i] - expectedInBin[i];
            chiSquare += difference * difference / expectedInBin[i];
        }
        return chiSquare;
    }

    private static String name(String test) {
        return "IID: §" + test;
    }

    private static TestResult result(String test, double chiSquare, int degrees) {
        if (degrees < 1) {
            return new TestResult(name(test), false, "too few samples for the test");
        }
        double p = ChiSquareDistribution.upperTail(chiSquare, degrees);
        return new TestResult(
                name(test),
                p >= ALPHA,
                String.format(Locale.ROOT, "chi-square %.1f, %d degrees of freedom, p = %.4f", chiSquare, degrees, p));
    }
}
