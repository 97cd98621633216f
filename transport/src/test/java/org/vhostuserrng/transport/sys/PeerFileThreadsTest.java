package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class PeerFileThreadsTest {
    /** Time without work after which a thread ends, in milliseconds. */
    private static final long IDLE_MILLIS = 1000;

    private final PeerFileThreads threads = new PeerFileThreads();

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

    /** Waits until the thread is idle. Also returns if the thread has ended, as it does after an idle second. */
    private static void awaitIdle(Thread thread) {
        while (thread.isAlive() && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }

    /**
     * Runs two actions one after the other until the same thread runs both. Repeats this, because the first thread ends
     * if the test is delayed by a second.
     */
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
    void areDaemonThreads() {
        assertTrue(run().join().isDaemon());
    }

    @Test
    void areReused() {
        assertThreadIsReused();
    }

    @Test
    void runOtherActionsWhileOneIsBlocked() {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        runBlocked(started, end);
        awaitUninterrupted(started);

        assertThreadIsReused();
        end.countDown();
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
    void runAnActionLongAfterOthersWereBlocked() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        runBlocked(started, end);
        awaitUninterrupted(started);
        Thread.sleep(2 * IDLE_MILLIS);

        Thread later = run().join();

        assertTrue(later.isDaemon());
        end.countDown();
    }

    @Test
    void goOnAfterAnActionThatThrows() {
        threads.execute(() -> {
            throw new IllegalStateException("a bug");
        });

        assertTrue(run().join().isDaemon());
    }

    @Test
    void endWhenIdle() throws InterruptedException {
        Thread first = run().join();

        first.join();

        assertNotEquals(first, run().join());
    }
}
