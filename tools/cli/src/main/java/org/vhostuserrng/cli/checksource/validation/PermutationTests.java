package org.vhostuserrng.cli.checksource.validation;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.vhostuserrng.cli.checksource.estimator.ParallelTasks;

/**
 * The permutation tests of SP 800-90B §5.1: they compare a statistic of the samples with that of their permutations.
 * The statistic of IID samples is not extreme. A test ends as soon as it is passed; a failure requires all
 * permutations. A lock protects the counts, which the threads share.
 */
final class PermutationTests {
    /** §5.1: number of permutations. */
    static final int PERMUTATIONS = 10_000;
    /** §5.1: the test fails if only this many permutations, or fewer, have a statistic as extreme as the samples. */
    private static final int EXTREME = 5;

    private final byte[] samples;
    private final boolean binary;
    private final Runnable afterEach;
    private final List<PermutationStatistic> statistics = PermutationStatistic.all();
    private final double[] original = new double[statistics.size()];
    /** Number of permutations whose statistic is at least as large as that of the samples, by statistic. */
    private final int[] notSmaller = new int[statistics.size()];
    /** Number of permutations whose statistic is at most as large as that of the samples, by statistic. */
    private final int[] notLarger = new int[statistics.size()];

    private int started;

    private PermutationTests(byte[] samples, boolean binary, Runnable afterEach) {
        this.samples = samples;
        this.binary = binary;
        this.afterEach = afterEach;
        ShuffledSamples unshuffled = new ShuffledSamples(samples, binary);
        for (int i = 0; i < original.length; i++) {
            original[i] = statistics.get(i).of().applyAsDouble(unshuffled);
        }
    }

    /**
     * Runs the tests in parallel.
     *
     * @param binary whether all values are 0 or 1
     * @param afterEach called by any thread after each of at most {@link #PERMUTATIONS} permutations
     */
    static List<TestResult> of(byte[] samples, boolean binary, SplittableRandom random, Runnable afterEach)
            throws InterruptedException {
        PermutationTests tests = new PermutationTests(samples, binary, afterEach);
        List<ParallelTasks.Task<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < ParallelTasks.threads(); i++) {
            SplittableRandom own = random.split();
            tasks.add(() -> tests.permute(own));
        }
        ParallelTasks.run(tasks, () -> {});
        return tests.results();
    }

    private boolean permute(SplittableRandom random) {
        ShuffledSamples shuffled = new ShuffledSamples(samples, binary);
        double[] values = new double[original.length];
        for (boolean[] open = next(); open != null; open = next()) {
            shuffled.shuffle(random);
            for (int i = 0; i < values.length; i++) {
                values[i] = open[i] ? statistics.get(i).of().applyAsDouble(shuffled) : Double.NaN;
            }
            count(open, values);
            afterEach.run();
        }
        return true;
    }

    /** Returns, by statistic, whether the next permutation needs it; null if no further permutation is needed. */
    private synchronized boolean[] next() {
        boolean[] open = new boolean[original.length];
        boolean any = false;
        for (int i = 0; i < open.length; i++) {
            open[i] = !isPassed(i);
            any |= open[i];
        }
        if (!any || started == PERMUTATIONS) {
            return null;
        }
        started++;
        return open;
    }

    private synchronized void count(boolean[] open, double[] values) {
        for (int i = 0; i < values.length; i++) {
            if (open[i]) {
                notSmaller[i] += values[i] >= original[i] ? 1 : 0;
                notLarger[i] += values[i] <= original[i] ? 1 : 0;
            }
        }
    }

    private boolean isPassed(int statistic) {
        return notSmaller[statistic] > EXTREME && notLarger[statistic] > EXTREME;
    }

    private List<TestResult> results() {
        List<TestResult> results = new ArrayList<>();
        for (int i = 0; i < original.length; i++) {
            String detail = isPassed(i)
                    ? ""
                    : Math.min(notSmaller[i], notLarger[i]) + " of " + PERMUTATIONS + " permutations are as extreme";
            results.add(new TestResult("IID: §" + statistics.get(i).name(), isPassed(i), detail));
        }
        return results;
    }
}
