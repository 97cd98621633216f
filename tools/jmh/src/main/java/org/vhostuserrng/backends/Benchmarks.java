package org.vhostuserrng.backends;

import java.util.Collection;
import java.util.Locale;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** Runs the benchmarks as JMH's own main class does, and prints how those that belong together compare. */
public final class Benchmarks {
    private static final String SIZE = "size";

    private final Collection<RunResult> results;

    private Benchmarks(Collection<RunResult> results) {
        this.results = results;
    }

    /** With JMH's options. */
    public static void main(String... arguments) throws CommandLineOptionException, RunnerException {
        Benchmarks benchmarks = new Benchmarks(new Runner(new CommandLineOptions(arguments)).run());
        benchmarks.printRatios("drbg", "aesCtr");
    }

    /** Of the rates: more is better for the one that is measured. */
    private void printRatios(String measured, String reference) {
        for (RunResult result : results) {
            if (isOf(result, measured)) {
                String size = result.getParams().getParam(SIZE);
                results.stream()
                        .filter(other -> isOf(other, reference))
                        .filter(other -> other.getParams().getParam(SIZE).equals(size))
                        .forEach(other -> System.out.printf(
                                Locale.ROOT,
                                "%s, %s bytes: %.1f ns, %.0f MB/s, %.2f × the rate of %s%n",
                                measured,
                                size,
                                nanos(result),
                                Integer.parseInt(size) * 1e3 / nanos(result),
                                nanos(other) / nanos(result),
                                reference));
            }
        }
    }

    private static boolean isOf(RunResult result, String method) {
        return result.getParams().getBenchmark().endsWith("." + method);
    }

    private static double nanos(RunResult result) {
        return result.getPrimaryResult().getScore();
    }
}
