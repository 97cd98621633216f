package org.vhostuserrng.cli.source;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;

/** Reads an entropy source; waits for bytes up to a timeout. Confined to one thread. */
public final class TimeoutSourceReader implements AutoCloseable {
    private static final long READ_TIMEOUT_MILLIS = 100;
    private static final long CLOSE_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Semaphore ready = new Semaphore(0);
    private final SourceRegistry sources;
    private final EntropySource source;

    /**
     * Opens a source.
     *
     * @param guest name of the reader in log messages
     */
    public TimeoutSourceReader(EntropySourceSpec spec, String guest) {
        sources = new SourceRegistry(spec, ready::release, System::nanoTime);
        source = sources.open(guest);
    }

    /**
     * Writes bytes to the beginning of {@code target}; waits up to 100 ms if the source has none.
     *
     * @param length maximum number of bytes
     * @return the result of {@link EntropySource#fill}
     */
    public int read(MemorySegment target, int length) throws InterruptedException {
        ready.drainPermits();
        int filled = source.fill(target, 0, length);
        if (filled == EntropySource.WOULD_BLOCK && ready.tryAcquire(READ_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)) {
            filled = source.fill(target, 0, length);
        }
        return filled;
    }

    /** Closes the source, and waits for a short time until devices are closed and child processes have ended. */
    @Override
    public void close() {
        source.close();
        sources.awaitClosed(CLOSE_TIMEOUT_NANOS);
    }
}
