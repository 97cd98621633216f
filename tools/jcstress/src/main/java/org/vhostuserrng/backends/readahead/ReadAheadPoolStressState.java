package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** A pool of one block, which the filler thread has taken. */
class ReadAheadPoolStressState {
    /** What costs a system call or memory outside of the heap, and is used again. */
    private record Parts(WakeablePoller waiter, ReadAheadBlock block) {}

    private static final Queue<Parts> SPARE = new ConcurrentLinkedQueue<>();

    private final Parts parts = parts();
    private boolean told;
    final ReadAheadBlockPool pool = new ReadAheadBlockPool(() -> told = true, parts.waiter(), List.of(parts.block()));
    final ReadAheadBlock block = pool.takeEmpty();

    private static Parts parts() {
        Parts spare = SPARE.poll();
        try {
            return spare == null ? new Parts(WakeablePoller.open(), new ReadAheadBlock()) : spare;
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** Whether those who serve were told that there are bytes. To be called once both are through. */
    final boolean isTold() {
        SPARE.add(parts);
        return told;
    }

    /** Whether the filler thread was woken. To be called once both are through. */
    final boolean isWoken() {
        boolean woken = parts.waiter().await(0);
        SPARE.add(parts);
        return woken;
    }
}
