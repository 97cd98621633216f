package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DeferredCloserThreadsTest {
    private final DeferredCloserThreads threads = new DeferredCloserThreads();

    /** Runs an action. Returns the thread that ran it. */
    private CompletableFuture<Thread> run() {
        CompletableFuture<Thread> by = new CompletableFuture<>();
        threads.execute(() -> by.complete(Thread.currentThread()));
        return by;
    }

    private void runBlocked(CountDownLatch started, CountDownLatch end) {
        threads.execute(() -> {
            started.countDown();
            awaitUninterrupted(end);
        });
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException unexpected) {
            throw new AssertionError(unexpected);
        }
    }

    private static void awaitIdle(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }

    @Test
    void areDaemonThreads() {
        assertTrue(run().join().isDaemon());
    }

    @Test
    void areReused() {
        Thread first = run().join();
        awaitIdle(first);

        assertEquals(first, run().join());
    }

    @Test
    void runOtherActionsWhileOneIsBlocked() {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        runBlocked(started, end);
        awaitUninterrupted(started);

        Thread second = run().join();
        awaitIdle(second);
        Thread third = run().join();
        end.countDown();

        assertEquals(second, third);
    }

    @Test
    void areAsManyAsTheBlockedActions() {
        CountDownLatch started = new CountDownLatch(10);
        CountDownLatch end = new CountDownLatch(1);

        for (int i = 0; i < 10; i++) {
            runBlocked(started, end);
        }

        awaitUninterrupted(started);
        end.countDown();
    }

    @Test
    void endWhenIdle() throws InterruptedException {
        Thread first = run().join();

        first.join();

        assertNotEquals(first, run().join());
    }
}
