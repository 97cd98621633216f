package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
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
    void endWhenIdleExceptTheLastOne() throws InterruptedException {
        List<Thread> created = new CopyOnWriteArrayList<>();
        PeerFileThreads recorded = new PeerFileThreads(work -> {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            created.add(thread);
            return thread;
        });
        CountDownLatch started = new CountDownLatch(3);
        CountDownLatch end = new CountDownLatch(1);
        for (int i = 0; i < 3; i++) {
            recorded.execute(() -> {
                started.countDown();
                awaitUninterrupted(end);
            });
        }
        awaitUninterrupted(started);
        end.countDown();

        while (alive(created) > 1) {
            Thread.sleep(IDLE_MILLIS / 10);
        }
        Thread.sleep(2 * IDLE_MILLIS);

        assertEquals(1, alive(created));
    }

    private static long alive(List<Thread> threads) {
        return threads.stream().filter(Thread::isAlive).count();
    }

    @Test
    void runEarlierActionsOnceTheHostPermitsAThread() {
        AtomicInteger refusals = new AtomicInteger(1);
        PeerFileThreads limited = new PeerFileThreads(work -> new Thread(work) {
            @Override
            public void start() {
                if (refusals.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
                super.start();
            }
        });
        CountDownLatch executed = new CountDownLatch(2);
        limited.execute(executed::countDown);

        limited.execute(executed::countDown);

        awaitUninterrupted(executed);
    }
}
