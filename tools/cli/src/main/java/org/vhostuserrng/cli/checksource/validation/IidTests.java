package org.vhostuserrng.cli.checksource.validation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.vhostuserrng.cli.checksource.estimator.RepeatedTuples;
import org.vhostuserrng.cli.checksource.estimator.SymbolSequence;

/**
 * The tests of SP 800-90B §5: they test whether samples are independent and identically distributed (IID). IID samples
 * fail each test with a probability of about 0.001.
 */
public final class IidTests {
    /** Maximum number of calls of {@code afterEach}. */
    public static final int STEPS = PermutationTests.PERMUTATIONS;

    /** §5.2.5: the test fails if a repetition of that length has a smaller probability than this. */
    private static final double REPETITION_ALPHA = 0.001;

    private IidTests() {}

    /**
     * Runs all tests.
     *
     * @param samples one sample per byte
     * @param random generates the permutations
     * @param afterEach called by any thread after each of at most {@link #STEPS} permutations
     */
    public static List<TestResult> of(byte[] samples, SplittableRandom random, Runnable afterEach)
            throws InterruptedException {
        SymbolSequence symbols = SymbolSequence.ofSamples(samples);
        if (symbols.alphabetSize() == 1) {
            return List.of(new TestResult("IID: §5", false, "all samples are equal"));
        }
        List<TestResult> results = new ArrayList<>(ChiSquareTests.of(symbols));
        results.add(longestRepetition(symbols));
        boolean binary = symbols.alphabetSize() == 2;
        results.addAll(PermutationTests.of(binary ? bits(symbols) : samples, binary, random, afterEach));
        return results;
    }

    private static byte[] bits(SymbolSequence symbols) {
        byte[] bits = new byte[symbols.length()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) symbols.at(i);
        }
        return bits;
    }

    /** §5.2.5: tests whether IID samples are likely to contain a repeated substring as long as the longest one. */
    private static TestResult longestRepetition(SymbolSequence symbols) {
        double collision = 0;
        int[] counts = symbols.counts();
        for (int count : counts) {
            collision += Math.pow((double) count / symbols.length(), 2);
        }
        int longest = RepeatedTuples.of(symbols).longest();
        double starts = symbols.length() - longest + 1.0;
        double pairs = starts * (starts - 1) / 2;
        double p = -Math.expm1(pairs * Math.log1p(-Math.pow(collision, longest)));
        return new TestResult(
                "IID: §5.2.5 longest repeated substring",
                p >= REPETITION_ALPHA,
                String.format(Locale.ROOT, "%d samples, p = %.4f", longest, p));
    }
}
