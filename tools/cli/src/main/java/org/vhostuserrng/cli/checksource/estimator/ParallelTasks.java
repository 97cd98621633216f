package org.vhostuserrng.cli.checksource.estimator;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs computations in parallel, on up to 4 CPUs. */
public final class ParallelTasks {
    /** Limits the memory: small machines do not have enough for more threads. */
    private static final int MAX_THREADS = 4;

    private ParallelTasks() {}

    /** A computation that does not wait for other tasks. */
    public interface Task<T> {
        /** Computes the result. Called once, by any thread. */
        T compute();
    }

    /** Maximum number of tasks that run at the same time. */
    public static int threads() {
        return Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
    }

    /**
     * Runs tasks and returns their results in the order of the tasks.
     *
     * @param afterEach called by any thread after each task
     */
    public static <T> List<T> run(List<Task<T>> tasks, Runnable afterEach) throws InterruptedException {
        List<Callable<T>> calls = new ArrayList<>();
        for (Task<T> task : tasks) {
            calls.add(() -> {
                T result = task.compute();
                afterEach.run();
                return result;
            });
        }
        List<T> results = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(
                threads(), Thread.ofPlatform().daemon().name("estimator-", 0).factory())) {
            for (Future<T> result : executor.invokeAll(calls)) {
                results.add(result.get());
            }
        } catch (ExecutionException bug) {
            throw new IllegalStateException(bug.getCause());
        }
        return results;
    }
}
