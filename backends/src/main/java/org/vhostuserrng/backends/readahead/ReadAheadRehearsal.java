package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.sys.GetrandomSyscall;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * Reads some kernel output ahead, tests it and discards it, to load the classes that an open source needs. This takes
 * tens of milliseconds, so it is done before the event loop starts: later, the loop opens a source when a guest needs
 * it.
 */
final class ReadAheadRehearsal {
    private static final int BYTES = 64;
    private static final long TIMEOUT_SECONDS = 1;

    private ReadAheadRehearsal() {}

    private static final class KernelSource implements BlockingEntropySource {
        @Override
        public int read(MemorySegment target, long offset, int length, WakeablePoller poller) {
            return Math.max(NO_DATA, GetrandomSyscall.fill(target, offset, length));
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** Reads ahead once. May block, so it must not be called on the thread of an event loop. */
    static void run(NoiseHealthTester health) throws IOException {
        CountDownLatch readable = new CountDownLatch(1);
        ReadAheadSource source = new ReadAheadSource(
                "rehearsal",
                new KernelSource(),
                health,
                new SourceFailureCounters(),
                readable::countDown,
                new CountDownLatch(0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(BYTES);
            int filled = source.fill(target, 0, BYTES);
            if (filled <= 0 && readable.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                filled = source.fill(target, 0, BYTES);
            }
            assert filled != 0;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            source.close();
        }
    }
}
