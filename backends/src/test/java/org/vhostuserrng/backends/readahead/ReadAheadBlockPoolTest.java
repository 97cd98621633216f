package org.vhostuserrng.backends.readahead;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests discards by the consumer. The test's thread is both the producer and the consumer. */
class ReadAheadBlockPoolTest {
    private final AtomicInteger notifications = new AtomicInteger();
    private ReadAheadBlockPool pool;

    @BeforeEach
    void open() throws IOException {
        pool = new ReadAheadBlockPool(notifications::incrementAndGet);
    }

    @AfterEach
    void close() {
        pool.poller().close();
    }

    private ReadAheadBlock begin() {
        ReadAheadBlock block = pool.pollEmpty();
        block.memory().fill((byte) 1);
        return block;
    }

    private ReadAheadBlock offer(ReadAheadBlock block) {
        pool.offerFilled(block, ReadAheadBlock.BYTES);
        return block;
    }

    private static void assertWiped(ReadAheadBlock block) {
        assertEquals(-1, block.memory().mismatch(new ReadAheadBlock().memory()));
    }

    @Test
    void wipesOfferedBlocksWhenTheyAreDiscarded() {
        ReadAheadBlock first = offer(begin());
        ReadAheadBlock second = offer(begin());

        pool.discardFilled();

        assertWiped(first);
        assertWiped(second);
        assertNull(pool.pollFilled());
    }

    @Test
    void wipesABlockThatWasBegunBeforeTheDiscard() {
        ReadAheadBlock begun = begin();
        pool.discardFilled();
        offer(begun);

        ReadAheadBlock filled = pool.pollFilled();

        assertNull(filled);
        assertWiped(begun);
    }

    @Test
    void keepsABlockThatWasBegunAfterTheDiscard() {
        pool.discardFilled();
        ReadAheadBlock begun = offer(begin());

        assertSame(begun, pool.pollFilled());
    }

    @Test
    void notifiesTheConsumerOfBlocksAfterTheDiscard() {
        offer(begin());
        pool.discardFilled();
        ReadAheadBlock none = pool.pollFilled();

        offer(begin());

        assertNull(none);
        assertEquals(1, notifications.get());
    }

    @Test
    void returnsDiscardedBlocksToTheProducer() {
        for (ReadAheadBlock block = pool.pollEmpty(); block != null; block = pool.pollEmpty()) {
            offer(block);
        }

        pool.discardFilled();

        assertNotNull(pool.pollEmpty());
    }
}
