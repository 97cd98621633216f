package org.vhostuserrng.cli.checksource.validation;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.vhostuserrng.cli.checksource.estimator.ParallelTasks;

/**
 * Permutation tests of SP 800-90B §5.1: a statistic of IID samples is not extreme among those of their permutations. A
 * test ends as soon as it is passed; a test that fails takes all permutations. Threads share the counts under a lock.
 */
final class PermutationTests {
    /** §5.1: number of permutations. */
    static final int PERMUTATIONS = 10_000;
    /** §5.1: so few permutations with a statistic as extreme are a failure. */
    private static final int EXTREME = 5;

    private final byte[] samples;
    private final boolean binary;
    private final Runnable afterEach;
    private final List<PermutationStatistic> statistics = PermutationStatistic.all();
    private final double[] original = new double[statistics.size()];
    /** Permutations whose statistic is larger, and not smaller, than that of the samples. */
    private final int[] notSmaller = new int[statistics.size()];
    /** Permutations whose statistic is smaller, and not larger, than that of the samples. */
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
     * @param afterEach called from any thread after each of at most {@link #PERMUTATIONS} permutations
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

    /** The statistics that are still open for the next permutation; null if there is none. */
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
