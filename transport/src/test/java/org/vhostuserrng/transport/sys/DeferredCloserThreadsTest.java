package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeferredCloserThreadsTest {
    private final DeferredCloserThreads threads = new DeferredCloserThreads();

    /** The thread that it was run by, once it has been. */
    private CompletableFuture<Thread> run() {
        CompletableFuture<Thread> by = new CompletableFuture<>();
        threads.execute(() -> by.complete(Thread.currentThread()));
        return by;
    }

    private void runAndWait(CountDownLatch started, CountDownLatch end) {
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

    /** Returns early if the thread has ended: it does when it is idle for a second. */
    private static void awaitIdle(Thread thread) {
        while (thread.isAlive() && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }

    /** Runs two tasks one after another until one thread has run both: a stall of a second ends the first thread. */
    private void assertThreadIsReused() {
        Thread first;
        Thread second;
        do {
            first = run().join();
            awaitIdle(first);
            second = run().join();
        } while (!first.equals(second));
    }

    @Test
    void runOnThreadsThatKeepNoProcessAlive() {
        assertTrue(run().join().isDaemon());
    }

    @Test
    void areUsedAgain() {
        assertThreadIsReused();
    }

    @Test
    void oneThatIsKeptWaitingHoldsUpNothingElse() {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        runAndWait(started, end);
        awaitUninterrupted(started);

        assertThreadIsReused();
        end.countDown();
    }

    @Test
    void areAsManyAsAreKeptWaiting() {
        CountDownLatch started = new CountDownLatch(10);
        CountDownLatch end = new CountDownLatch(1);

        for (int i = 0; i < 10; i++) {
            runAndWait(started, end);
        }

        awaitUninterrupted(started);
        end.countDown();
    }

    @Test
    void endWhenThereIsNothingToDo() throws InterruptedException {
        Thread first = run().join();

        first.join();

        assertNotEquals(first, run().join());
    }
}
