package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Builds a suffix array by induced sorting (Nong, Zhang, Chan: Two Efficient Algorithms for Linear Time Suffix Array
 * Construction, 2011) in linear time, even for repetitive sequences. The end of the text sorts before all symbols.
 */
final class SuffixArray {
    private static final int EMPTY = -1;

    private final int[] text;
    private final int length;
    private final int[] bucketSizes;
    /** Whether a suffix sorts before the suffix that starts one symbol later (type S), by start index. */
    private final boolean[] smaller;

    private final int[] sorted;

    private SuffixArray(int[] text, int alphabetSize) {
        this.text = text;
        length = text.length;
        sorted = new int[length];
        smaller = new boolean[length];
        bucketSizes = new int[alphabetSize];
        for (int symbol : text) {
            bucketSizes[symbol]++;
        }
        for (int i = length - 2; i >= 0; i--) {
            smaller[i] = text[i] < text[i + 1] || (text[i] == text[i + 1] && smaller[i + 1]);
        }
    }

    /**
     * Returns the start indexes of all suffixes in lexicographic order.
     *
     * @param sequence must not be empty
     */
    static int[] of(SymbolSequence sequence) {
        int[] text = new int[sequence.length()];
        for (int i = 0; i < text.length; i++) {
            text[i] = sequence.at(i);
        }
        return sort(text, sequence.alphabetSize());
    }

    private static int[] sort(int[] text, int alphabetSize) {
        SuffixArray array = new SuffixArray(text, alphabetSize);
        array.sort();
        return array.sorted;
    }

    private void sort() {
        int[] leftmost = leftmostSmaller();
        induceFrom(leftmost);
        int[] ordered = orderOfLeftmost(leftmost);
        induceFrom(ordered);
    }

    /** Whether the suffix is a leftmost S-type suffix: its type is S, and that of the suffix before it is L. */
    private boolean isLeftmostSmaller(int index) {
        return index > 0 && smaller[index] && !smaller[index - 1];
    }

    private int[] leftmostSmaller() {
        int count = 0;
        for (int i = 1; i < length; i++) {
            count += isLeftmostSmaller(i) ? 1 : 0;
        }
        int[] indexes = new int[count];
        int next = 0;
        for (int i = 1; i < length; i++) {
            if (isLeftmostSmaller(i)) {
                indexes[next] = i;
                next++;
            }
        }
        return indexes;
    }

    /**
     * Returns the leftmost S-type suffixes in lexicographic order. Their substrings must already be sorted in
     * {@link #sorted}.
     *
     * @param leftmost start indexes of the leftmost S-type suffixes, in the order of the text
     */
    private int[] orderOfLeftmost(int[] leftmost) {
        int[] names = new int[length / 2 + 1];
        int name = -1;
        int previous = EMPTY;
        for (int suffix : sorted) {
            if (isLeftmostSmaller(suffix)) {
                if (previous == EMPTY || !isSameSubstring(previous, suffix)) {
                    name++;
                }
                // Two leftmost S-type suffixes are at least two symbols apart, so that suffix / 2 is unique.
                names[suffix / 2] = name;
                previous = suffix;
            }
        }
        int[] reduced = new int[leftmost.length];
        for (int i = 0; i < reduced.length; i++) {
            reduced[i] = names[leftmost[i] / 2];
        }
        int[] order = name + 1 == reduced.length ? inverse(reduced) : sort(reduced, name + 1);
        for (int i = 0; i < order.length; i++) {
            order[i] = leftmost[order[i]];
        }
        return order;
    }

    private static int[] inverse(int[] permutation) {
        int[] inverse = new int[permutation.length];
        for (int i = 0; i < permutation.length; i++) {
            inverse[permutation[i]] = i;
        }
        return inverse;
    }

    /** Whether two substrings are equal that each extend from a leftmost S-type suffix to the next one. */
    private boolean isSameSubstring(int one, int other) {
        for (int i = 0; one + i < length && other + i < length; i++) {
            if (text[one + i] != text[other + i] || smaller[one + i] != smaller[other + i]) {
                return false;
            }
            if (i > 0 && isLeftmostSmaller(one + i)) {
                return isLeftmostSmaller(other + i);
            }
        }
        return false;
    }

    /** Puts the leftmost S-type suffixes at the ends of their buckets, and derives the order of all other suffixes. */
    private void induceFrom(int[] leftmost) {
        Arrays.fill(sorted, EMPTY);
        int[] end = bucketEnds();
        for (int i = leftmost.length - 1; i >= 0; i--) {
            sorted[--end[text[leftmost[i]]]] = leftmost[i];
        }
        int[] start = bucketEnds();
        for (int symbol = 0; symbol < start.length; symbol++) {
            start[symbol] -= bucketSizes[symbol];
        }
        sorted[start[text[length - 1]]++] = length - 1;
        for (int i = 0; i < length; i++) {
            int before = sorted[i] - 1;
            if (before >= 0 && !smaller[before]) {
                sorted[start[text[before]]++] = before;
            }
        }
        end = bucketEnds();
        for (int i = length - 1; i >= 0; i--) {
            int before = sorted[i] - 1;
            if (before >= 0 && smaller[before]) {
                sorted[--end[text[before]]] = before;
            }
        }
    }

    private int[] bucketEnds() {
        int[] ends = new int[bucketSizes.length];
        int end = 0;
        for (int symbol = 0; symbol < ends.length; symbol++) {
            end += bucketSizes[symbol];
            ends[symbol] = end;
        }
        return ends;
    }
}
