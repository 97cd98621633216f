package org.vhostuserrng.backends;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.RandomFile;
import org.vhostuserrng.backends.sys.RandomFile.Kind;

/**
 * The thread that reads one file ahead of those who need its bytes. It reads until told to stop, or to the end of a
 * file that has one.
 */
final class Filler implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Filler.class);
    /** Between attempts to read a device that cannot be polled and has nothing. */
    private static final int SHORTEST_PAUSE_MILLIS = 1;

    private static final int LONGEST_PAUSE_MILLIS = 100;
    private static final int AFTER_ERROR_MILLIS = 1000;

    private final FileSpec spec;
    private final BlockPool pool;
    private final Kind kind;
    private RandomFile file;
    private int pauseMillis = SHORTEST_PAUSE_MILLIS;
    private boolean errorLogged;
    private final Object stopLock = new Object();
    private volatile boolean stopping;
    private volatile boolean ended;

    private Filler(FileSpec spec, RandomFile file, BlockPool pool) throws IOException {
        this.spec = spec;
        this.file = file;
        this.kind = file.kind();
        this.pool = pool;
    }

    /** Starts a thread that owns {@code file} from now on. */
    static Filler start(FileSpec spec, RandomFile file, BlockPool pool) throws IOException {
        Filler filler = new Filler(spec, file, pool);
        Thread.ofPlatform()
                .daemon()
                .name("filler " + spec.path())
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

    /** Whether no byte will come any more. Any thread. */
    boolean hasEnded() {
        return ended;
    }

    @Override
    public void run() {
        try {
            readAhead();
        } catch (RuntimeException bug) {
            LOG.error("{}: bug in vhost-user-rng, reading ends", spec.path(), bug);
        } finally {
            ended = true;
            file.close();
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
        while (!stopping && !ended) {
            Block block = pool.takeEmpty();
            if (block == null) {
                pool.waiter().await(-1);
            } else {
                fill(block);
            }
        }
    }

    /** Stays with one block until it has bytes. */
    private void fill(Block block) {
        while (!stopping && !ended) {
            int read = read(block);
            if (read > 0) {
                pauseMillis = SHORTEST_PAUSE_MILLIS;
                errorLogged = false;
                block.filled(read);
                pool.handIn(block);
                return;
            }
            handleNothing(read);
        }
    }

    private int read(Block block) {
        if (kind == Kind.REGULAR) {
            int read = file.readAt(spec.position().get(), block.memory(), 0, Block.BYTES);
            if (read > 0) {
                spec.position().addAndGet(read);
            }
            return read;
        }
        pool.waiter().awaitReadable(file);
        return stopping ? RandomFile.EAGAIN : file.read(block.memory(), 0, Block.BYTES);
    }

    private void handleNothing(int result) {
        if (result == RandomFile.EAGAIN) {
            pool.waiter().await(pauseMillis);
            pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
        } else if (result < 0) {
            retryAfter(RandomFile.describe(result));
        } else if (kind == Kind.FIFO) {
            reopen();
        } else {
            LOG.error("{}: end of file; it will not be read again from its beginning, guests wait", spec.path());
            ended = true;
        }
    }

    /** The last writer of the FIFO has left: a new open waits for the next one, the old one would report the end. */
    private void reopen() {
        try {
            RandomFile again = RandomFile.open(spec.path());
            file.close();
            file = again;
        } catch (IOException refused) {
            retryAfter(refused.getMessage());
        }
    }

    private void retryAfter(String error) {
        if (!errorLogged) {
            LOG.error("{}: {}; guests wait, reading is tried again each second", spec.path(), error);
            errorLogged = true;
        }
        pool.waiter().await(AFTER_ERROR_MILLIS);
    }
}
