package org.vhostuserrng.cli.checksource.validation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;

/**
 * A statistic of SP 800-90B §5.1 that depends on the order of the samples.
 *
 * @param name section and name
 * @param of computes the statistic
 */
record PermutationStatistic(String name, ToDoubleFunction<ShuffledSamples> of) {
    /** §5.1.9, §5.1.10: the lags. */
    private static final int[] LAGS = {1, 2, 8, 16, 32};

    private static final int BYTE_VALUES = 256;
    /** Block size of bzip2 in units of 100 kB, as in NIST's tool. */
    private static final int BZIP2_BLOCK = 5;

    /** Returns all statistics of §5.1. */
    static List<PermutationStatistic> all() {
        List<PermutationStatistic> all = new ArrayList<>(List.of(
                new PermutationStatistic("5.1.1 excursion", samples -> excursion(samples.values())),
                new PermutationStatistic(
                        "5.1.2 number of directional runs", samples -> runs(samples.directions(), false)),
                new PermutationStatistic(
                        "5.1.3 length of directional runs", samples -> runs(samples.directions(), true)),
                new PermutationStatistic("5.1.4 increases and decreases", samples -> majority(samples.directions())),
                new PermutationStatistic(
                        "5.1.5 number of runs based on the median", samples -> runs(samples.sides(), false)),
                new PermutationStatistic(
                        "5.1.6 length of runs based on the median", samples -> runs(samples.sides(), true)),
                new PermutationStatistic("5.1.7 average collision", samples -> collision(samples.packed(), false)),
                new PermutationStatistic("5.1.8 maximum collision", samples -> collision(samples.packed(), true))));
        for (int lag : LAGS) {
            all.add(new PermutationStatistic("5.1.9 periodicity " + lag, samples -> equal(samples.weights(), lag)));
        }
        for (int lag : LAGS) {
            all.add(new PermutationStatistic("5.1.10 covariance " + lag, samples -> product(samples.weights(), lag)));
        }
        all.add(new PermutationStatistic("5.1.11 compression", samples -> compressed(samples.values())));
        return List.copyOf(all);
    }

    /** Returns the largest deviation of a partial sum from its expectation. */
    private static double excursion(byte[] values) {
        long sum = 0;
        for (byte value : values) {
            sum += value & 0xff;
        }
        double mean = (double) sum / values.length;
        double partial = 0;
        double largest = 0;
        for (byte value : values) {
            partial += (value & 0xff) - mean;
            largest = Math.max(largest, Math.abs(partial));
        }
        return largest;
    }

    private static int runs(boolean[] values, boolean longest) {
        int count = 0;
        int most = 0;
        int length = 0;
        for (int i = 0; i < values.length; i++) {
            if (i == 0 || values[i] != values[i - 1]) {
                count++;
                length = 0;
            }
            length++;
            most = Math.max(most, length);
        }
        return longest ? most : count;
    }

    private static int majority(boolean[] values) {
        int set = 0;
        for (boolean value : values) {
            set += value ? 1 : 0;
        }
        return Math.max(set, values.length - set);
    }

    /** Returns the mean or maximum number of samples up to the first sample that repeats an earlier one. */
    private static double collision(byte[] values, boolean maximum) {
        int[] seenIn = new int[BYTE_VALUES];
        int round = 1;
        int length = 0;
        int most = 0;
        long total = 0;
        for (byte value : values) {
            length++;
            if (seenIn[value & 0xff] == round) {
                most = Math.max(most, length);
                total += length;
                length = 0;
                round++;
            } else {
                seenIn[value & 0xff] = round;
            }
        }
        return maximum || round == 1 ? most : (double) total / (round - 1);
    }

    private static int equal(byte[] values, int lag) {
        int equal = 0;
        for (int i = lag; i < values.length; i++) {
            equal += values[i] == values[i - lag] ? 1 : 0;
        }
        return equal;
    }

    private static long product(byte[] values, int lag) {
        long sum = 0;
        for (int i = lag; i < values.length; i++) {
            sum += (values[i] & 0xffL) * (values[i - lag] & 0xffL);
        }
        return sum;
    }

    /** Returns the length after compression with bzip2 of the values in decimal, separated by spaces. */
    private static long compressed(byte[] values) {
        StringBuilder text = new StringBuilder(4 * values.length);
        for (byte value : values) {
            text.append(text.isEmpty() ? "" : " ").append(value & 0xff);
        }
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (OutputStream bzip2 = new BZip2CompressorOutputStream(compressed, BZIP2_BLOCK)) {
            bzip2.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return compressed.size();
    }
}
