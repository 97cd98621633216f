package org.vhostuserrng.transport.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.session.UnreadReplyTimer.MAX_UNREAD_NANOS;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.loop.FakeEventScheduler;

class UnreadReplyTimerTest {
    private final FakeEventScheduler loop = new FakeEventScheduler();
    private int unreceived;
    private int expirations;
    private final UnreadReplyTimer timer = new UnreadReplyTimer(loop, () -> unreceived, null, () -> expirations++);

    private void update(int amount) {
        unreceived = amount;
        timer.update(loop.now);
    }

    @Test
    void doesNotRunWhileAllRepliesAreReceived() {
        update(0);

        assertFalse(loop.deadlines.containsKey(timer));
    }

    @Test
    void expiresWhenNoReplyIsReceived() {
        loop.now = 42;
        update(100);

        loop.runDeadline(timer);

        assertEquals(42 + MAX_UNREAD_NANOS, loop.now);
        assertEquals(1, expirations);
    }

    @Test
    void expiresThoughFurtherRepliesAreSent() {
        update(100);
        loop.now = MAX_UNREAD_NANOS / 2;
        update(100);
        update(200);

        loop.runDeadline(timer);

        assertEquals(1, expirations);
    }

    @Test
    void stopsWhenAllRepliesHaveBeenReceived() {
        update(100);
        unreceived = 0;

        loop.runDeadline(timer);

        assertEquals(0, expirations);
        assertFalse(loop.deadlines.containsKey(timer));
    }

    @Test
    void doesNotExpireWhileRepliesAreReceivedOneByOne() {
        int left = 1000;
        update(left);
        while (left > 0) {
            loop.now += MAX_UNREAD_NANOS - 1;
            left -= 100;
            update(left);
            if (loop.deadlines.getOrDefault(timer, Long.MAX_VALUE) <= loop.now) {
                loop.runDeadline(timer);
            }
        }

        assertEquals(0, expirations);
    }

    /**
     * The front-end receives each reply before the next one is sent, so one reply is always pending at the end of a
     * dispatch.
     */
    @Test
    void doesNotExpireForAFrontEndThatWaitsForEachReply() {
        for (int message = 0; message < 100; message++) {
            update(0);
            update(100);
            loop.now += MAX_UNREAD_NANOS / 2;
            if (loop.deadlines.get(timer) <= loop.now) {
                unreceived = 0;
                loop.runDeadline(timer);
            }
        }

        assertEquals(0, expirations);
    }

    @Test
    void countsAnewFromTheFirstReplyAfterAPause() {
        update(100);
        update(0);
        loop.now = MAX_UNREAD_NANOS - 1;
        update(100);

        loop.runDeadline(timer);

        assertEquals(0, expirations);
        assertTrue(loop.deadlines.get(timer) > MAX_UNREAD_NANOS);
    }

    @Test
    void cancelStopsIt() {
        update(100);

        timer.cancel();

        assertFalse(loop.deadlines.containsKey(timer));
    }
}
