package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.stream.Stream;
import org.jctools.queues.atomic.SpscAtomicArrayQueue;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A fixed number of blocks that go round between a filler thread (which takes empty ones and hands in filled ones) and
 * the thread that serves guests (the other way round): two single-producer single-consumer queues.
 *
 * <p>Each side says when it has found nothing and looks once more; the other hands over, then looks whether that was
 * said. The full fences between keep the two from missing each other.
 */
final class ReadAheadBlockPool {
    /** Read-ahead of 64 KiB: a thousand requests of a Linux guest. */
    private static final int BLOCKS = 16;

    private final SpscAtomicArrayQueue<ReadAheadBlock> filled = new SpscAtomicArrayQueue<>(BLOCKS);
    private final SpscAtomicArrayQueue<ReadAheadBlock> empty = new SpscAtomicArrayQueue<>(BLOCKS);
    private final Runnable onBytes;
    private final WakeablePoller waiter;
    private volatile boolean dry;
    private volatile boolean full;
    /** Those of it are valid; written by the filler thread, which knows it as {@link #fillingRound}. */
    private volatile int validRound;

    private int fillingRound;

    ReadAheadBlockPool(Runnable onBytes) throws IOException {
        this(
                onBytes,
                WakeablePoller.open(),
                Stream.generate(ReadAheadBlock::new).limit(BLOCKS).toList());
    }

    /**
     * A pool of {@code blocks}.
     *
     * @param waiter owned by the filler thread, as {@link #waiter} says
     */
    ReadAheadBlockPool(Runnable onBytes, WakeablePoller waiter, List<ReadAheadBlock> blocks) {
        this.onBytes = onBytes;
        this.waiter = waiter;
        blocks.forEach(empty::offer);
    }

    /** Where the filler thread waits for an empty block, among other things. */
    WakeablePoller waiter() {
        return waiter;
    }

    // --- the serving thread ----------------------------------------------------------------------------------------

    /** A filled block, or null: then the pool is dry, and {@code onBytes} will tell when it no longer is. */
    ReadAheadBlock takeFilled() {
        ReadAheadBlock block = pollValid();
        if (block == null) {
            dry = true;
            block = pollValid();
            if (block != null) {
                dry = false;
            }
        }
        return block;
    }

    private ReadAheadBlock pollValid() {
        ReadAheadBlock block = filled.poll();
        while (block != null && !isValid(block)) {
            block.wipe();
            giveBack(block);
            block = filled.poll();
        }
        return block;
    }

    /** Whether the bytes of a block that was taken may still be used. */
    boolean isValid(ReadAheadBlock block) {
        return block.round() == validRound;
    }

    /** Gives back a block that has been used up. */
    void giveBack(ReadAheadBlock block) {
        empty.offer(block);
        VarHandle.fullFence();
        if (full) {
            full = false;
            waiter.wake();
        }
    }

    // --- the filler thread -----------------------------------------------------------------------------------------

    /** An empty block, or null: then the waiter is woken when there is one. */
    ReadAheadBlock takeEmpty() {
        ReadAheadBlock block = empty.poll();
        if (block == null) {
            full = true;
            block = empty.poll();
            if (block != null) {
                full = false;
            }
        }
        return block;
    }

    /** Hands in a block with so many bytes. */
    void handIn(ReadAheadBlock block, int bytes) {
        block.filled(bytes, fillingRound);
        filled.offer(block);
        VarHandle.fullFence();
        if (dry) {
            dry = false;
            onBytes.run();
        }
    }

    /** Takes back the bytes of all blocks handed in so far, as far as they have not been used. */
    void recall() {
        fillingRound++;
        validRound = fillingRound;
    }

    /** Tells those who wait, if any, to ask again, though there are no bytes. */
    void nudge() {
        onBytes.run();
    }

    /** Wipes all that has been read ahead. Only when the serving thread takes nothing any more. */
    void wipe() {
        for (ReadAheadBlock block = filled.poll(); block != null; block = filled.poll()) {
            block.wipe();
        }
    }
}
