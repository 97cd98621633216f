package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.stream.Stream;
import org.jctools.queues.atomic.SpscAtomicArrayQueue;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A fixed number of blocks that two threads exchange through two single-producer single-consumer queues: the read-ahead
 * thread, which fills them ("producer"), and the event loop's thread, which drains them ("consumer").
 *
 * <p>No wake-up is lost: a side that finds its queue empty sets its waiting flag, and then polls once more. The other
 * side offers a block, and then reads the flag. The volatile write of the flag and the full fence after the offer order
 * each store before the following load.
 */
final class ReadAheadBlockPool {
    /** Number of blocks: 64 KiB, enough for a thousand requests of a Linux guest. */
    private static final int BLOCKS = 16;

    private final SpscAtomicArrayQueue<ReadAheadBlock> filled = new SpscAtomicArrayQueue<>(BLOCKS);
    private final SpscAtomicArrayQueue<ReadAheadBlock> empty = new SpscAtomicArrayQueue<>(BLOCKS);
    private final Runnable onReadable;
    private final WakeablePoller poller;
    private volatile boolean consumerWaiting;
    private volatile boolean producerWaiting;
    /** The generation of valid blocks; blocks of other generations are invalid. Written only by the producer. */
    private volatile int validGeneration;

    /**
     * The number of times that the consumer has discarded all bytes read so far. Written only by the consumer. A block
     * that the producer began to fill before the last discard is invalid, even if it is offered later.
     */
    private volatile int discards;

    /** The consumer's copy of {@link #discards}, so that it need not read the volatile field. */
    private int consumerDiscards;

    /** The producer's copy of {@link #validGeneration}, so that it need not read the volatile field. */
    private int producerGeneration;

    ReadAheadBlockPool(Runnable onReadable) throws IOException {
        this(
                onReadable,
                WakeablePoller.open(),
                Stream.generate(ReadAheadBlock::new).limit(BLOCKS).toList());
    }

    /**
     * Creates a pool in which all {@code blocks} are empty.
     *
     * @param onReadable called on the producer's thread when a block is available again after the consumer has found
     *     none
     * @param poller wakes the producer, which also closes it
     */
    ReadAheadBlockPool(Runnable onReadable, WakeablePoller poller, List<ReadAheadBlock> blocks) {
        this.onReadable = onReadable;
        this.poller = poller;
        blocks.forEach(empty::offer);
    }

    /** The poller on which the producer waits for an empty block, among other events. */
    WakeablePoller poller() {
        return poller;
    }

    // --- consumer --------------------------------------------------------------------------------------------------

    /**
     * Returns a filled block, or null if there is none: {@code onReadable} is then called when a block is available.
     */
    ReadAheadBlock pollFilled() {
        ReadAheadBlock block = pollValid();
        if (block == null) {
            consumerWaiting = true;
            block = pollValid();
            if (block != null) {
                consumerWaiting = false;
            }
        }
        return block;
    }

    private ReadAheadBlock pollValid() {
        ReadAheadBlock block = filled.poll();
        while (block != null && !isValid(block)) {
            block.wipe();
            recycle(block);
            block = filled.poll();
        }
        return block;
    }

    /** Returns whether a block that was polled earlier may still be used. */
    boolean isValid(ReadAheadBlock block) {
        return block.generation() == validGeneration && block.discards() == discards;
    }

    /**
     * Discards and wipes all bytes that the producer has read so far, including those of the block that it is filling.
     */
    void discardFilled() {
        consumerDiscards++;
        discards = consumerDiscards;
        for (ReadAheadBlock block = filled.poll(); block != null; block = filled.poll()) {
            block.wipe();
            recycle(block);
        }
    }

    /** Returns a drained block to the producer. */
    void recycle(ReadAheadBlock block) {
        empty.offer(block);
        VarHandle.fullFence();
        if (producerWaiting) {
            producerWaiting = false;
            poller.wakeUp();
        }
    }

    // --- producer --------------------------------------------------------------------------------------------------

    /** Returns an empty block, or null if there is none: the poller is then woken when a block is available. */
    ReadAheadBlock pollEmpty() {
        ReadAheadBlock block = empty.poll();
        if (block == null) {
            producerWaiting = true;
            block = empty.poll();
            if (block != null) {
                producerWaiting = false;
            }
        }
        if (block != null) {
            block.beginFilling(discards);
        }
        return block;
    }

    /** Passes a block that contains {@code bytes} bytes to the consumer. */
    void offerFilled(ReadAheadBlock block, int bytes) {
        block.setFilled(bytes, producerGeneration);
        filled.offer(block);
        VarHandle.fullFence();
        if (consumerWaiting) {
            consumerWaiting = false;
            onReadable.run();
        }
    }

    /** Invalidates the unused bytes of all blocks that were offered so far. */
    void invalidateFilled() {
        producerGeneration++;
        validGeneration = producerGeneration;
    }

    /** Notifies the consumer although there are no bytes, so that it notices a change of state. */
    void notifyConsumer() {
        onReadable.run();
    }

    /** Wipes all filled blocks. The consumer must not poll afterwards. */
    void wipe() {
        for (ReadAheadBlock block = filled.poll(); block != null; block = filled.poll()) {
            block.wipe();
        }
    }
}
