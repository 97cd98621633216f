package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.health.NoiseHealthTester;

/**
 * The thread that reads one source ahead of those who need its bytes, and tests them. It reads until told to stop, or to
 * the end of a source that has one. A source that fails a test gives nothing until it has passed the start-up tests.
 */
final class ReadAheadThread implements Runnable {
    /** What the source is good for at the moment. */
    enum State {
        /** It gives bytes, or will. */
        SERVING,
        /** It has failed, or a test of it has; that may change. */
        FAILED,
        /** No byte will come any more. */
        ENDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(ReadAheadThread.class);
    private static final int AFTER_ERROR_MILLIS = 1000;
    private static final int SHORTEST_QUARANTINE_MILLIS = 2000;
    private static final int LONGEST_QUARANTINE_MILLIS = 60_000;
    /** How many blocks may fail in one attempt to serve again: what a pipe holds may be as old as the fault. */
    private static final int BLOCKS_AN_ATTEMPT = 16;

    private final String name;
    private final BlockingEntropySource source;
    private final NoiseHealthTester health;
    private final SourceFailureCounters counters;
    private final ReadAheadBlockPool pool;
    private int quarantineMillis = SHORTEST_QUARANTINE_MILLIS;
    private int blocksLeft;
    private final Object stopLock = new Object();
    private volatile boolean stopping;
    private volatile State state = State.SERVING;

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
     * Starts a thread that owns {@code source} from now on.
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
        ReadAheadThread filler = new ReadAheadThread(name, source, health, counters, pool);
        Thread.ofPlatform()
                .daemon()
                .name("filler " + name)
                .stackSize(256 * 1024)
                .start(filler);
        return filler;
    }

    /** Tells the thread to end; it does as soon as it is not in the midst of a read. Any thread. */
    void stop() {
        // Under the lock, lest the thread closes the waiter between the two.
        synchronized (stopLock) {
            stopping = true;
            pool.waiter().wake();
        }
    }

    /** What those who find the pool dry have to expect. Any thread. */
    State state() {
        return state;
    }

    @Override
    public void run() {
        try {
            readAhead();
        } catch (RuntimeException bug) {
            LOG.error("{}: bug in vhost-user-rng, reading ends", name, bug);
        } finally {
            state = State.ENDED;
            source.close();
            pool.nudge();
            // The pool goes on serving what it holds; the thread stays to clean up after it.
            while (!stopping) {
                pool.waiter().await(-1);
            }
            pool.wipe();
            synchronized (stopLock) {
                pool.waiter().close();
            }
        }
    }

    private void readAhead() {
        while (!stopping && state != State.ENDED) {
            ReadAheadBlock block = pool.takeEmpty();
            if (block == null) {
                pool.waiter().await(-1);
            } else {
                int filled = fill(block);
                if (filled > 0) {
                    state = state == State.ENDED ? State.ENDED : State.SERVING;
                    pool.handIn(block, filled);
                }
            }
        }
    }

    /**
     * Stays with one block until it has bytes that have passed all tests, which are the start-up tests first.
     *
     * @return how many bytes; 0 if the thread is to end
     */
    private int fill(ReadAheadBlock block) {
        int have = 0;
        while (!stopping) {
            try {
                int read = source.read(block.memory(), have, ReadAheadBlock.BYTES - have, pool.waiter());
                if (read == BlockingEntropySource.END) {
                    // A source that is shorter than the start-up tests has been tested whole; a suspect one may not end
                    // so.
                    boolean suspect = state == State.FAILED;
                    end();
                    if (!suspect) {
                        return have;
                    }
                    block.wipe();
                    return 0;
                }
                String fault = health == null ? null : health.test(block.memory(), have, read);
                if (fault != null) {
                    block.wipe();
                    have = 0;
                    quarantine(fault);
                } else {
                    have += read;
                    if (have > 0 && (health == null || health.hasStarted())) {
                        recovered();
                        return have;
                    }
                }
            } catch (DiscardReadAheadException failure) {
                pool.recall();
                block.wipe();
                have = 0;
                fail(failure);
            } catch (IOException failure) {
                block.wipe();
                have = 0;
                fail(failure);
            }
        }
        block.wipe();
        return 0;
    }

    private void end() {
        LOG.error("{}: end of file; it will not be read again from its beginning, guests wait", name);
        counters.ended();
        state = State.ENDED;
    }

    private void recovered() {
        if (state == State.FAILED) {
            LOG.warn("{}: serves again{}", name, health == null ? "" : ", having passed its start-up tests");
            quarantineMillis = SHORTEST_QUARANTINE_MILLIS;
            blocksLeft = 0;
        }
    }

    /** Bytes that were read before the failure had passed their tests, and stay unless they were recalled. */
    private void fail(IOException failure) {
        counters.failed();
        if (state != State.FAILED) {
            LOG.error("{}: {}; tried again each second", name, failure.getMessage());
            state = State.FAILED;
            pool.nudge();
        }
        if (health != null) {
            health.restart();
        }
        pool.waiter().await(AFTER_ERROR_MILLIS);
    }

    /** Bytes that were read shortly before the test failed may be no better, and go. */
    private void quarantine(String fault) {
        health.restart();
        blocksLeft--;
        if (blocksLeft > 0) {
            return;
        }
        LOG.error(
                "{}: {}; nothing of it is served until it passes its start-up tests, tried again in {} s",
                name,
                fault,
                quarantineMillis / 1000);
        counters.quarantined();
        pool.recall();
        state = State.FAILED;
        pool.nudge();
        pool.waiter().await(quarantineMillis);
        blocksLeft = BLOCKS_AN_ATTEMPT;
        quarantineMillis = Math.min(2 * quarantineMillis, LONGEST_QUARANTINE_MILLIS);
    }
}
