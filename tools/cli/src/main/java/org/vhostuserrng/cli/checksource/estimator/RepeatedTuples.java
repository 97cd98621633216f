package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Counts repeated tuples of every length, for the t-tuple estimate (SP 800-90B §6.3.5) and the longest repeated
 * substring estimate (§6.3.6).
 *
 * <p>In the suffix array, suffixes that share a prefix form an interval. The size of the interval is the number of
 * occurrences of the prefix, and of the shorter tuples down to the prefix of the enclosing interval. The intervals are
 * found in the array of the longest common prefixes of adjacent suffixes.
 */
public final class RepeatedTuples {
    private final int samples;
    /** Number of occurrences of the most common tuple, by the length of the tuple. */
    private final int[] mostCommon;
    /** Number of pairs of equal tuples, by the length of the tuples. */
    private final long[] equalPairs;
    /** Length of the longest tuple that occurs at least 35 times (t); 0 if there is none. */
    private final int longestCommon;

    private RepeatedTuples(int samples, int[] mostCommon, long[] equalPairs) {
        this.samples = samples;
        this.mostCommon = mostCommon;
        this.equalPairs = equalPairs;
        int length = longest();
        while (length > 0 && mostCommon[length] < Sp80090bConstants.COMMON_TUPLE_COUNT) {
            length--;
        }
        longestCommon = length;
    }

    /** Counts the tuples of a sequence, which must not be empty. */
    public static RepeatedTuples of(SymbolSequence sequence) {
        int[] prefixes = commonPrefixes(sequence, SuffixArray.of(sequence));
        int longest = 0;
        for (int prefix : prefixes) {
            longest = Math.max(longest, prefix);
        }
        int[] mostCommon = new int[longest + 2];
        long[] pairs = new long[longest + 2];
        countIntervals(prefixes, mostCommon, pairs);
        for (int length = longest; length > 0; length--) {
            mostCommon[length] = Math.max(mostCommon[length], mostCommon[length + 1]);
            pairs[length] += pairs[length + 1];
        }
        return new RepeatedTuples(sequence.length(), mostCommon, pairs);
    }

    /** Length of the longest tuple that occurs twice (v); 0 if there is none. */
    public int longest() {
        return mostCommon.length - 2;
    }

    /** §6.3.5: returns the t-tuple estimate in bits per symbol; NaN if no symbol occurs often enough. */
    double tTuple() {
        double most = 0;
        for (int length = 1; length <= longestCommon; length++) {
            double p = (double) mostCommon[length] / (samples - length + 1);
            most = Math.max(most, Math.pow(p, 1.0 / length));
        }
        return estimate(most);
    }

    /**
     * §6.3.6: returns the longest repeated substring estimate in bits per symbol; NaN if no tuple longer than t is
     * repeated.
     */
    double longestRepeatedSubstring() {
        double most = 0;
        for (int length = longestCommon + 1; length <= longest(); length++) {
            double tuples = samples - length + 1.0;
            double p = equalPairs[length] / (tuples * (tuples - 1) / 2);
            most = Math.max(most, Math.pow(p, 1.0 / length));
        }
        return estimate(most);
    }

    private double estimate(double probability) {
        return probability == 0 ? Double.NaN : ConfidenceBound.minEntropy(ConfidenceBound.upper(probability, samples));
    }

    /**
     * Returns, for each suffix in lexicographic order, the length of the longest common prefix with the suffix before
     * it; 0 for the first one (Kärkkäinen, Manzini, Puglisi: Permuted Longest-Common-Prefix Array, 2009).
     */
    private static int[] commonPrefixes(SymbolSequence sequence, int[] suffixes) {
        int length = suffixes.length;
        int[] permuted = new int[length];
        permuted[suffixes[0]] = -1;
        for (int i = 1; i < length; i++) {
            permuted[suffixes[i]] = suffixes[i - 1];
        }
        int common = 0;
        for (int suffix = 0; suffix < length; suffix++) {
            int other = permuted[suffix];
            if (other < 0) {
                common = 0;
            } else {
                int limit = length - Math.max(suffix, other);
                while (common < limit && sequence.at(suffix + common) == sequence.at(other + common)) {
                    common++;
                }
            }
            permuted[suffix] = common;
            common = Math.max(0, common - 1);
        }
        for (int i = 0; i < length; i++) {
            suffixes[i] = permuted[suffixes[i]];
        }
        return suffixes;
    }

    /**
     * Adds each interval of suffixes to {@code mostCommon} and {@code pairs}, at the length of its common prefix. In
     * {@code pairs} it is subtracted again at the next shorter prefix: the caller sums up the differences.
     */
    private static void countIntervals(int[] prefixes, int[] mostCommon, long[] pairs) {
        int[] prefixOf = new int[64];
        int[] startOf = new int[64];
        int depth = 0;
        for (int i = 1; i <= prefixes.length; i++) {
            int prefix = i < prefixes.length ? prefixes[i] : 0;
            int start = i - 1;
            while (depth > 0 && prefixOf[depth - 1] > prefix) {
                depth--;
                start = startOf[depth];
                int parent = Math.max(prefix, depth > 0 ? prefixOf[depth - 1] : 0);
                int count = i - start;
                long countPairs = (long) count * (count - 1) / 2;
                mostCommon[prefixOf[depth]] = Math.max(mostCommon[prefixOf[depth]], count);
                pairs[prefixOf[depth]] += countPairs;
                pairs[parent] -= countPairs;
            }
            if (prefix > 0 && (depth == 0 || prefixOf[depth - 1] < prefix)) {
                if (depth == prefixOf.length) {
                    prefixOf = Arrays.copyOf(prefixOf, 2 * depth);
                    startOf = Arrays.copyOf(startOf, 2 * depth);
                }
                prefixOf[depth] = prefix;
                startOf[depth] = start;
                depth++;
            }
        }
    }
}
