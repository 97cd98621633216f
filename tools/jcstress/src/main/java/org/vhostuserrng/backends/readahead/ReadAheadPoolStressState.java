package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** A pool with one block, which the read-ahead thread holds. */
class ReadAheadPoolStressState {
    /** Objects that are reused, because creating them requires a system call or native memory. */
    private record Parts(WakeablePoller poller, ReadAheadBlock block) {}

    private static final Queue<Parts> SPARE = new ConcurrentLinkedQueue<>();

    private final Parts parts = parts();
    private boolean notified;
    final ReadAheadBlockPool pool =
            new ReadAheadBlockPool(() -> notified = true, parts.poller(), List.of(parts.block()));
    final ReadAheadBlock block = pool.pollEmpty();

    private static Parts parts() {
        Parts spare = SPARE.poll();
        try {
            return spare == null ? new Parts(WakeablePoller.open(), new ReadAheadBlock()) : spare;
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** Whether the event loop was notified. Called once, after both threads have finished. */
    final boolean isNotified() {
        SPARE.add(parts);
        return notified;
    }

    /** Whether the read-ahead thread was woken. Called once, after both threads have finished. */
    final boolean isWoken() {
        boolean woken = parts.poller().sleep(0);
        SPARE.add(parts);
        return woken;
    }
}
