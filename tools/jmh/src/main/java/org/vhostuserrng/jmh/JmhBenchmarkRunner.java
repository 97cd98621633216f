package org.vhostuserrng.jmh;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** Runs the benchmarks like JMH's own main class, then compares them with reference implementations. */
public final class JmhBenchmarkRunner {
    private final Collection<RunResult> results;

    private JmhBenchmarkRunner(Collection<RunResult> results) {
        this.results = results;
    }

    /** Runs the benchmarks that JMH's options select. */
    public static void main(String... arguments)
            throws CommandLineOptionException, RunnerException, InterruptedException {
        JmhBenchmarkRunner benchmarks = new JmhBenchmarkRunner(new Runner(new CommandLineOptions(arguments)).run());
        benchmarks.compareDrbg();
        benchmarks.compareRdrand();
    }

    private void compareDrbg() {
        for (RunResult drbg : of("drbg")) {
            of("aesCtr").stream()
                    .filter(aes -> size(aes).equals(size(drbg)))
                    .forEach(aes -> print(drbg, nanos(aes), "bare AES-CTR"));
        }
    }

    private void compareRdrand() throws InterruptedException {
        List<RunResult> measured = of("rdrand");
        if (measured.isEmpty()) {
            return;
        }
        try (CReferenceLoop loop = CReferenceLoop.compile("rdrand", "-mrdrnd")) {
            for (RunResult result : measured) {
                print(result, loop.nanos(size(result)), "a C loop");
            }
        } catch (IOException uncompiled) {
            System.out.println("rdrand is not compared to a C loop: " + uncompiled.getMessage());
        }
    }

    private List<RunResult> of(String method) {
        return results.stream()
                .filter(result -> result.getParams().getBenchmark().endsWith("." + method))
                .toList();
    }

    private static void print(RunResult result, double reference, String name) {
        double nanos = nanos(result);
        System.out.printf(
                Locale.ROOT,
                "%s, %s bytes: %.1f ns, %.0f MB/s, %.2f times the rate of %s%n",
                result.getPrimaryResult().getLabel(),
                size(result),
                nanos,
                Integer.parseInt(size(result)) * 1e3 / nanos,
                reference / nanos,
                name);
    }

    private static String size(RunResult result) {
        return result.getParams().getParam("size");
    }

    private static double nanos(RunResult result) {
        return result.getPrimaryResult().getScore();
    }
}
