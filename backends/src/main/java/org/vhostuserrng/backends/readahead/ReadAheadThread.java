package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.libc.LogLineLimiter;

/**
 * A thread that reads one blocking source into a block pool and tests the bytes. It runs until it is stopped or the
 * source ends. A source that fails a health test provides no bytes until it has passed the start-up tests again.
 */
final class ReadAheadThread implements Runnable {
    /** State of the source. */
    enum State {
        /** The source provides bytes, or is expected to. */
        RUNNING,
        /** A read or a health test has failed; the thread retries. */
        FAILED,
        /** The source will never provide another byte. */
        ENDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(ReadAheadThread.class);
    private static final int MAX_LINES_PER_MINUTE = 20;
    private static final int RETRY_DELAY_MILLIS = 1000;
    private static final int MIN_QUARANTINE_MILLIS = 2000;
    private static final int MAX_QUARANTINE_MILLIS = 60_000;
    /** Number of blocks that may fail before the next delay: a pipe may still hold bytes from the time of the fault. */
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
    private final Object stopLock = new Object();
    private volatile boolean stopping;
    private volatile State state = State.RUNNING;

    private ReadAheadThread(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            ReadAheadBlockPool pool) {
        this.name = name;
        this.source = source;
        this.health = health;
        this.counters = counters;
        this.pool = pool;
    }

    /**
     * Starts a thread that takes ownership of {@code source}.
     *
     * @param name for logs
     * @param health null for a source that is not tested
     */
    static ReadAheadThread start(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            ReadAheadBlockPool pool) {
        ReadAheadThread readAhead = new ReadAheadThread(name, source, health, counters, pool);
        Thread.ofPlatform()
                .daemon()
                .name("read-ahead " + name)
                .stackSize(256 * 1024)
                .start(readAhead);
        return readAhead;
    }

    /** Tells the thread to stop and wakes it. Does not wait for it. Any thread. */
    void stop() {
        // The lock keeps the thread from closing the poller between the two statements.
        synchronized (stopLock) {
            stopping = true;
            pool.poller().wakeUp();
        }
    }

    /** State of the source. Any thread. */
    State state() {
        return state;
    }

    @Override
    public void run() {
        try {
            readAhead();
        } catch (RuntimeException bug) {
            LOG.error("{}: bug in vhost-user-rng, the source is no longer read", name, bug);
        } finally {
            state = State.ENDED;
            source.close();
            pool.notifyConsumer();
            // The consumer may still drain the pool, so the thread cleans up only after it is stopped.
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
        while (!stopping && state != State.ENDED) {
            ReadAheadBlock block = pool.pollEmpty();
            if (block == null) {
                pool.poller().sleep(-1);
            } else {
                int filled = readTestedBlock(block);
                if (filled > 0) {
                    state = state == State.ENDED ? State.ENDED : State.RUNNING;
                    pool.offerFilled(block, filled);
                }
            }
        }
    }

    /**
     * Reads into a block until it holds bytes that have passed all health tests. At the start and after a failure these
     * are the start-up tests.
     *
     * @return the number of bytes; 0 if the thread must end
     */
    private int readTestedBlock(ReadAheadBlock block) {
        int filled = 0;
        while (!stopping) {
            try {
                int read = source.read(block.memory(), filled, ReadAheadBlock.BYTES - filled, pool.poller());
                if (read == BlockingEntropySource.END_OF_STREAM) {
                    // A source that is shorter than the start-up tests has been tested completely and may be used.
                    // A source that ends while its start-up tests are repeated may not.
                    boolean suspect = state == State.FAILED;
                    end();
                    if (!suspect) {
                        return filled;
                    }
                    block.wipe();
                    return 0;
                }
                String failure = health == null ? null : health.check(block.memory(), filled, read);
                if (failure != null) {
                    block.wipe();
                    filled = 0;
                    quarantine(failure);
                } else {
                    filled += read;
                    if (filled > 0 && (health == null || health.hasPassedStartup())) {
                        recover();
                        return filled;
                    }
                }
            } catch (DiscardReadAheadException failure) {
                pool.invalidateFilled();
                block.wipe();
                filled = 0;
                fail(failure);
            } catch (SourceUnavailableException unavailable) {
                awaitRetry(unavailable);
            } catch (IOException failure) {
                block.wipe();
                filled = 0;
                fail(failure);
            }
        }
        block.wipe();
        return 0;
    }

    private void end() {
        LOG.error("{}: end of file; the file is not read again from its start, guests wait", name);
        counters.incrementEndOfFiles();
        state = State.ENDED;
    }

    private void recover() {
        if (state == State.FAILED) {
            if (mayLog()) {
                LOG.warn("{}: recovered{}", name, health == null ? "" : " and passed its start-up tests");
            }
            quarantineMillis = MIN_QUARANTINE_MILLIS;
            failedBlocksLeft = 0;
        }
    }

    /** Whether a line may be logged: a peer that fails and recovers can cause any number. */
    private boolean mayLog() {
        long suppressed = lines.takeSuppressed();
        if (suppressed > 0) {
            LOG.warn("{}: {} more suppressed", name, suppressed);
        }
        return lines.mayWrite();
    }

    /** Handles a read failure. Blocks read earlier have passed the health tests and stay valid. */
    private void fail(IOException failure) {
        if (health != null) {
            health.restart();
        }
        awaitRetry(failure);
    }

    private void awaitRetry(IOException failure) {
        counters.incrementReadFailures();
        if (state != State.FAILED) {
            if (mayLog()) {
                LOG.error("{}: {}; retrying every second", name, failure.getMessage());
            }
            state = State.FAILED;
            pool.notifyConsumer();
        }
        pool.poller().sleep(RETRY_DELAY_MILLIS);
    }

    /** Handles a health test failure. Blocks read earlier may be faulty too and become invalid. */
    private void quarantine(String failure) {
        health.restart();
        failedBlocksLeft--;
        if (failedBlocksLeft > 0) {
            return;
        }
        if (mayLog()) {
            LOG.error(
                    "{}: {}; not used until it passes its start-up tests, next attempt in {} s",
                    name,
                    failure,
                    quarantineMillis / 1000);
        }
        counters.incrementHealthTestFailures();
        pool.invalidateFilled();
        state = State.FAILED;
        pool.notifyConsumer();
        pool.poller().sleep(quarantineMillis);
        failedBlocksLeft = MAX_FAILED_BLOCKS_PER_RETRY;
        quarantineMillis = Math.min(2 * quarantineMillis, MAX_QUARANTINE_MILLIS);
    }
}
