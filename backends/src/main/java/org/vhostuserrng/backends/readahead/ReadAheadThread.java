package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.libc.LogLineLimiter;

/**
 * A thread that reads one blocking source into a block pool, and tests the bytes. It runs until it is stopped. A source
 * that fails a health test provides no bytes until it has passed the start-up tests again.
 */
final class ReadAheadThread implements Runnable {
    /** The state of the source. */
    enum State {
        /** The source provides bytes, or is expected to provide bytes. */
        RUNNING,
        /** A read or a health test has failed. The thread retries. */
        FAILED,
        /** The source is at its end. The thread checks every second whether it has more bytes. */
        AT_END
    }

    private static final Logger LOG = LoggerFactory.getLogger(ReadAheadThread.class);
    private static final int MAX_LINES_PER_MINUTE = 20;
    private static final int RETRY_DELAY_MILLIS = 1000;
    private static final int MIN_QUARANTINE_MILLIS = 2000;
    private static final int MAX_QUARANTINE_MILLIS = 60_000;
    /**
     * Number of blocks that may fail before the next delay, because a pipe may still contain bytes from the time of the
     * fault.
     */
    private static final int MAX_FAILED_BLOCKS_PER_RETRY = 16;

    private final String name;
    private final BlockingEntropySource source;
    private final NoiseHealthTester health;
    private final SourceFailureCounters counters;
    private final ReadAheadBlockPool pool;
    private final LogLineLimiter lines =
            new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), System::nanoTime);
    private int quarantineMillis = MIN_QUARANTINE_MILLIS;
    private int failedBlocksLeft;
    private final CountDownLatch sourceClosed = new CountDownLatch(1);
    private final Object stopLock = new Object();
    private volatile boolean stopping;
    private volatile State state = State.RUNNING;
    private volatile int untestedBytes;
    /**
     * Whether the last read has succeeded. {@link #state} may still be FAILED, until the start-up tests have passed.
     */
    private volatile boolean answering;

    private volatile boolean failedHealthTest;
    /** Receives the result of start-up tests that were requested; null if there are none. */
    private final AtomicReference<Consumer<String>> testResult = new AtomicReference<>();

    /** Whether the source was replaced since it was last at its end. */
    private boolean replacedSinceEnd;

    private final CountDownLatch predecessorClosed;

    private ReadAheadThread(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            ReadAheadBlockPool pool,
            CountDownLatch predecessorClosed) {
        this.name = name;
        this.source = source;
        this.health = health;
        this.counters = counters;
        this.pool = pool;
        this.predecessorClosed = predecessorClosed;
    }

    /**
     * Starts a thread that takes ownership of {@code source}.
     *
     * @param name the source's name, for log lines
     * @param health the health tests; null for a source that is not tested
     * @param predecessorClosed {@link #sourceClosed} of the thread that read the same source before. The new thread
     *     waits for it, because a device must have only one reader at a time
     */
    static ReadAheadThread start(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            ReadAheadBlockPool pool,
            CountDownLatch predecessorClosed) {
        ReadAheadThread readAhead = new ReadAheadThread(name, source, health, counters, pool, predecessorClosed);
        Thread.ofPlatform()
                .daemon()
                .name("read-ahead " + name)
                .stackSize(256 * 1024)
                .start(readAhead);
        return readAhead;
    }

    /** Tells the thread to stop, and wakes it. Does not wait until it has stopped. Any thread. */
    void stop() {
        // The lock prevents the thread from closing the poller between the two statements.
        synchronized (stopLock) {
            stopping = true;
            pool.poller().wakeUp();
        }
    }

    /** The state of the source. Any thread. */
    State state() {
        return state;
    }

    /** The number of bytes that were read, but have not passed the start-up tests yet. Any thread. */
    int untestedBytes() {
        return untestedBytes;
    }

    /**
     * Returns whether the source can be read again after a failure, but has not passed its start-up tests yet. Any
     * thread.
     */
    boolean answersAfterFailure() {
        return state == State.FAILED && answering;
    }

    /** See {@link ReadAheadSource#hasFailedHealthTest}. Any thread. */
    boolean hasFailedHealthTest() {
        return failedHealthTest;
    }

    /** See {@link ReadAheadSource#startStartupTests}. Any thread, before {@link #stop}. */
    boolean startStartupTests(Consumer<String> onDone) {
        if (health == null) {
            return false;
        }
        testResult.set(onDone);
        pool.poller().wakeUp();
        return true;
    }

    /** Any thread. */
    void cancelStartupTests() {
        testResult.set(null);
    }

    /** Reports the result of start-up tests if they were requested: null, or the reason of the failure. */
    private void reportTest(String failure) {
        Consumer<String> requested = testResult.getAndSet(null);
        if (requested != null) {
            requested.accept(failure);
        }
    }

    /** Reaches 0 when the stopped thread has closed its source. */
    CountDownLatch sourceClosed() {
        return sourceClosed;
    }

    @Override
    public void run() {
        try {
            predecessorClosed.await();
            readAhead();
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException bug) {
            LOG.error("{}: bug in vhost-user-rng, the source is no longer read", name, bug);
        } finally {
            state = State.FAILED;
            source.close();
            sourceClosed.countDown();
            pool.notifyConsumer();
            // Cleans up only after the thread is stopped, because the consumer may still drain the pool before.
            while (!stopping) {
                pool.poller().sleep(-1);
            }
            pool.wipe();
            synchronized (stopLock) {
                pool.poller().close();
            }
        }
    }

    private void readAhead() {
        while (!stopping) {
            if (testResult.get() != null && health.hasPassedStartup()) {
                repeatStartupTestsOnRequest();
                continue;
            }
            ReadAheadBlock block = pool.pollEmpty();
            if (block == null) {
                source.awaitDemand(pool.poller());
            } else {
                boolean startup = health != null && !health.hasPassedStartup();
                int filled = readTestedBlock(block);
                if (filled > 0) {
                    state = State.RUNNING;
                    if (startup) {
                        // Must precede the bytes: a consumer that has seen them may request new tests.
                        reportTest(null);
                    }
                    pool.offerFilled(block, filled);
                }
            }
        }
    }

    /** Reads until the start-up tests have passed, and discards the bytes. A failure is like any other one. */
    private void repeatStartupTestsOnRequest() {
        ReadAheadBlock discarded = new ReadAheadBlock();
        restart(discarded);
        if (readTestedBlock(discarded) > 0) {
            state = State.RUNNING;
            reportTest(null);
        }
        discarded.wipe();
    }

    /**
     * Reads into a block until it contains bytes that have passed all health tests: the start-up tests at first and
     * after a failure, then the continuous tests.
     *
     * @return the number of bytes in the block; 0 if the thread must end
     */
    private int readTestedBlock(ReadAheadBlock block) {
        int filled = 0;
        while (!stopping) {
            try {
                int read = source.read(block.memory(), filled, ReadAheadBlock.BYTES - filled, pool.poller());
                answering = true;
                if (read == BlockingEntropySource.END_OF_STREAM) {
                    awaitMoreAfterEnd(filled);
                    continue;
                }
                if (read == BlockingEntropySource.REPLACED) {
                    if (mayLog()) {
                        LOG.info("{}: the file was replaced; reading the new one", name);
                    }
                    replacedSinceEnd = true;
                    filled = restart(block);
                    continue;
                }
                String failure = health == null ? null : health.check(block.memory(), filled, read);
                if (failure != null) {
                    filled = restart(block);
                    quarantine(failure);
                } else {
                    filled += read;
                    if (filled > 0 && (health == null || health.hasPassedStartup())) {
                        untestedBytes = 0;
                        recover();
                        return filled;
                    }
                    untestedBytes = filled;
                }
            } catch (DiscardReadAheadException failure) {
                pool.invalidateFilled();
                filled = restart(block);
                fail(failure);
            } catch (SourceUnavailableException unavailable) {
                // Does not discard the bytes of the block, and continues the health tests.
                fail(unavailable);
            } catch (IOException failure) {
                filled = restart(block);
                fail(failure);
            }
        }
        block.wipe();
        return 0;
    }

    /**
     * Discards the bytes of a block, and begins the start-up tests again. Returns 0, the number of bytes in the block.
     */
    private int restart(ReadAheadBlock block) {
        block.wipe();
        untestedBytes = 0;
        if (health != null) {
            health.restart();
        }
        return 0;
    }

    /**
     * Waits before the next read of a source that is at its end.
     *
     * @param untested number of bytes that were read, but have not passed the start-up tests
     */
    private void awaitMoreAfterEnd(int untested) {
        reportTest("end of file");
        if (state != State.AT_END || replacedSinceEnd) {
            replacedSinceEnd = false;
            if (mayLog()) {
                LOG.error(
                        "{}: {}; guests wait until the file grows or is replaced",
                        name,
                        untested == 0
                                ? "end of file, no byte is read twice"
                                : "too short for the start-up tests, its " + untested + " bytes are not served");
            }
            counters.incrementEndOfFiles();
            state = State.AT_END;
            pool.notifyConsumer();
        }
        sleep(RETRY_DELAY_MILLIS);
    }

    private void recover() {
        failedHealthTest = false;
        if (state != State.RUNNING) {
            if (mayLog()) {
                LOG.warn("{}: recovered{}", name, health == null ? "" : " and passed its start-up tests");
            }
            failedBlocksLeft = 0;
        }
    }

    /**
     * Sleeps until the time has passed or the thread must stop. Tests {@link #stopping}, because a read may have
     * consumed the wake-up of {@link #stop}.
     */
    private void sleep(int millis) {
        if (!stopping) {
            pool.poller().sleep(millis);
        }
    }

    /**
     * Returns whether a line may be logged. Limited, because a peer that fails and recovers can cause any number of
     * lines.
     */
    private boolean mayLog() {
        long suppressed = lines.takeSuppressed();
        if (suppressed > 0) {
            LOG.warn("{}: {} more lines suppressed", name, suppressed);
        }
        return lines.mayWrite();
    }

    /** Handles a read failure. Blocks that were read earlier have passed the health tests and stay valid. */
    private void fail(IOException failure) {
        answering = false;
        reportTest(failure.getMessage());
        counters.incrementReadFailures();
        if (state != State.FAILED) {
            if (mayLog()) {
                LOG.error("{}: {}; retrying", name, failure.getMessage());
            }
            state = State.FAILED;
            pool.notifyConsumer();
        }
        sleep(RETRY_DELAY_MILLIS);
    }

    /** Handles a health test failure that chance may explain: repeats the start-up tests without a delay. */
    private void repeatStartupTests(String failure) {
        if (mayLog()) {
            LOG.warn(
                    "{}: {}; not used until it passes its start-up tests again (expected by chance {})",
                    name,
                    failure,
                    health.chanceOfFailure());
        }
        counters.incrementHealthTestFailures();
        pool.invalidateFilled();
        state = State.FAILED;
        pool.notifyConsumer();
        quarantineMillis = MIN_QUARANTINE_MILLIS;
    }

    /** Handles a health test failure. Invalidates the blocks that were read earlier, which may be faulty too. */
    private void quarantine(String failure) {
        failedHealthTest = true;
        reportTest(failure);
        if (!health.isAlarm()) {
            repeatStartupTests(failure);
            return;
        }
        failedBlocksLeft--;
        if (failedBlocksLeft > 0) {
            return;
        }
        if (mayLog()) {
            LOG.error(
                    "{}: alarm: {}; not used until it passes its start-up tests, next attempt in {} s",
                    name,
                    failure,
                    quarantineMillis / 1000);
        }
        counters.incrementHealthTestFailures();
        pool.invalidateFilled();
        state = State.FAILED;
        pool.notifyConsumer();
        answering = false;
        sleep(quarantineMillis);
        failedBlocksLeft = MAX_FAILED_BLOCKS_PER_RETRY;
        quarantineMillis = Math.min(2 * quarantineMillis, MAX_QUARANTINE_MILLIS);
    }
}
