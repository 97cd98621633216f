package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.LimitMode;
import org.vhostuserrng.backends.Limits;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.transport.DeviceQueue;

/** What a well-behaved driver sees of the entropy device (VIRTIO 1.3 §5.4), whatever the format of its virtqueue. */
abstract class RngRingContract {
    private static final long MILLI = 1_000_000;

    abstract Guest<?> guest(int size, long features, Quota quota);

    private Guest<?> guest(int size, long features) {
        return guest(size, features, new Quota(Limits.NONE));
    }

    @Test
    void fillsABufferAndTellsItsLength() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        int head = guest.offer(Guest.BUFFERS, 64);

        long next = queue.drain();

        assertEquals(DeviceQueue.IDLE, next);
        assertTrue(guest.driver.takeUsed());
        assertEquals(head, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 64), guest.bytesAt(Guest.BUFFERS, 64));
    }

    @Test
    void writesNothingBesideTheBuffer() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS + 1, 3);

        queue.drain();

        assertEquals(0, guest.byteAt(Guest.BUFFERS));
        assertEquals(0, guest.byteAt(Guest.BUFFERS + 4));
    }

    @Test
    void fillsTheBuffersOfAChainInTheirOrder() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(BufferElement.writable(Guest.BUFFERS + 1000, 700), BufferElement.writable(Guest.BUFFERS, 300));

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 700), guest.bytesAt(Guest.BUFFERS + 1000, 700));
        assertArrayEquals(Guest.tagged(700, 300), guest.bytesAt(Guest.BUFFERS, 300));
    }

    @Test
    void asksTheSourceOnceForAChainOfSingleBytes() {
        Guest<?> guest = guest(64, 0);
        DeviceQueue queue = guest.start();
        guest.offer(IntStream.range(0, 64)
                .mapToObj(i -> BufferElement.writable(Guest.BUFFERS + 2L * i, 1))
                .toArray(BufferElement[]::new));

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(64, guest.driver.usedLength());
        assertEquals(TaggedSource.byteAt(63), guest.byteAt(Guest.BUFFERS + 126));
        assertEquals(0, guest.byteAt(Guest.BUFFERS + 125));
        assertEquals(1, guest.source.calls);
    }

    @Test
    void skipsEmptyBuffersOfAChain() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(
                BufferElement.writable(Guest.BUFFERS, 0),
                BufferElement.writable(Guest.BUFFERS + 8, 5),
                BufferElement.writable(Guest.BUFFERS, 0));

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(5, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 5), guest.bytesAt(Guest.BUFFERS + 8, 5));
    }

    @Test
    void fillsABufferThatLiesAcrossTwoRegions() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM - 500, 1000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 1000), guest.bytesAt(Guest.SEAM - 500, 1000));
    }

    @Test
    void looksNoFurtherIntoATableThanARequestCanCost() {
        Guest<?> guest = guest(8, Virtio.VIRTIO_F_INDIRECT_DESC);
        DeviceQueue queue = guest.start();
        BufferElement[] chain = new BufferElement[5000];
        Arrays.fill(chain, BufferElement.writable(Guest.BUFFERS, 1));
        chain[4999] = BufferElement.writable(0, 1);
        MemorySegment table = guest.second.asSlice(0, 16L * chain.length);
        guest.driver.makeAvailable(guest.driver.addIndirect(table, Guest.SEAM, chain));

        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(BufferChain.MOST_PIECES, guest.driver.usedLength());
    }

    @Test
    void looksNoFurtherAlongAChainThanARequestCanCost() {
        Guest<?> guest = guest(8192, 0);
        DeviceQueue queue = guest.start();
        BufferElement[] chain = new BufferElement[5000];
        Arrays.fill(chain, BufferElement.writable(Guest.BUFFERS, 1));
        chain[4999] = BufferElement.writable(0, 1);
        int overlong = guest.offer(chain);
        int next = guest.offer(Guest.BUFFERS, 64);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(overlong, guest.driver.usedId());
        assertEquals(BufferChain.MOST_PIECES, guest.driver.usedLength());
        assertTrue(guest.driver.takeUsed());
        assertEquals(next, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
    }

    @Test
    void givesAtMost64KibToOneRequest() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM - 100_000, 200_000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(65536, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(Guest.SEAM - 100_000 + 65536));
    }

    @Test
    void followsAnIndirectTable() {
        Guest<?> guest = guest(8, Virtio.VIRTIO_F_INDIRECT_DESC);
        DeviceQueue queue = guest.start();
        int head = guest.driver.addIndirect(
                guest.second,
                Guest.SEAM,
                BufferElement.writable(Guest.BUFFERS, 10),
                BufferElement.writable(Guest.BUFFERS + 10, 20));
        guest.driver.makeAvailable(head);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(30, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 30), guest.bytesAt(Guest.BUFFERS, 30));
    }

    @Test
    void servesAllThatIsAvailableInOneTurnWithOneNotification() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        for (int i = 0; i < 8; i++) {
            guest.offer(Guest.BUFFERS + 64L * i, 64);
        }

        queue.drain();

        assertEquals(8, guest.takeAll());
        assertEquals(1, guest.call.count());
    }

    @Test
    void endsItsTurnWhenItsShareIsUsedUpAndGoesOnInTheNext() {
        Guest<?> guest = guest(16, 0);
        DeviceQueue queue = guest.start();
        for (int i = 0; i < 11; i++) {
            guest.offer(Guest.SEAM, 65536);
        }

        long first = queue.drain();
        int servedFirst = guest.takeAll();
        long second = queue.drain();

        assertEquals(DeviceQueue.MORE, first);
        assertEquals(8, servedFirst);
        assertEquals(DeviceQueue.IDLE, second);
        assertEquals(3, guest.takeAll());
    }

    @Test
    void fillsALargeRequestInSeveralTurnsWhereOthersWaitForTheirs() {
        Guest<?> guest = guest(8, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(BufferElement.writable(Guest.BUFFERS + 1, 10_000), BufferElement.writable(Guest.SEAM, 30_000));

        long[] turns = LongStream.range(0, 3).map(i -> queue.drain()).toArray();

        assertArrayEquals(new long[] {DeviceQueue.MORE, DeviceQueue.MORE, DeviceQueue.IDLE}, turns);
        assertTrue(guest.driver.takeUsed());
        assertEquals(40_000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 10_000), guest.bytesAt(Guest.BUFFERS + 1, 10_000));
        assertArrayEquals(Guest.tagged(10_000, 30_000), guest.bytesAt(Guest.SEAM, 30_000));
    }

    @Test
    void fillsARequestOfManyPiecesInSeveralTurnsWhereOthersWaitForTheirs() {
        Guest<?> guest = guest(256, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(IntStream.range(0, 150)
                .mapToObj(i -> BufferElement.writable(Guest.SEAM + 4096L * i, 2))
                .toArray(BufferElement[]::new));

        long[] turns = LongStream.range(0, 3).map(i -> queue.drain()).toArray();

        assertArrayEquals(new long[] {DeviceQueue.MORE, DeviceQueue.MORE, DeviceQueue.IDLE}, turns);
        assertTrue(guest.driver.takeUsed());
        assertEquals(300, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(298, 2), guest.bytesAt(Guest.SEAM + 4096L * 149, 2));
    }

    @Test
    void tellsNothingOfARequestThatIsPartlyFilled() {
        Guest<?> guest = guest(8, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM, 65536);

        queue.drain();

        assertFalse(guest.driver.takeUsed());
        assertEquals(0, guest.call.count());
    }

    @Test
    void leavesARequestThatIsPartlyFilledToTheNextQueue() {
        Guest<?> guest = guest(8, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM, 20_000);
        queue.drain();

        DeviceQueue next = guest.start(queue.stop());
        next.drain();
        next.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(16384, 20_000), guest.bytesAt(Guest.SEAM, 20_000));
    }

    @Test
    void beginsAnewWithARequestWhoseBuffersTheDriverHasChanged() {
        Guest<?> guest = guest(8, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM, 20_000);
        queue.drain();
        guest.moveFirstBuffer(Guest.SEAM + 4096);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(16384, 20_000), guest.bytesAt(Guest.SEAM + 4096, 20_000));
    }

    @Test
    void completesWhatWasFilledWhenTheSourceHasNoMore() {
        Guest<?> guest = guest(8, 0).besideAnother();
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM, 20_000);
        queue.drain();
        guest.source.left = 0;

        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(16384, guest.driver.usedLength());
    }

    @Test
    void sendsNoInterruptWithoutACompletion() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void sendsNoInterruptWhenTheFlagSuppressesIt() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.driver.disableInterrupts();
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void asksForAKickWithTheNextRequestOnceItIsIdle() {
        Guest<?> guest = guest(8, Virtio.VIRTIO_F_EVENT_IDX);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        guest.driver.kickWanted();
        queue.drain();

        guest.offer(Guest.BUFFERS, 64);

        assertTrue(guest.driver.kickWanted());
    }

    @Test
    void wantsNoKickWhileARequestWaitsForTheSource() {
        for (long features : new long[] {0, Virtio.VIRTIO_F_EVENT_IDX}) {
            Guest<?> guest = guest(8, features);
            DeviceQueue queue = guest.start();
            queue.drain();
            guest.source.left = 0;
            guest.offer(Guest.BUFFERS, 64);
            guest.driver.kickWanted();
            queue.drain();

            guest.offer(Guest.BUFFERS, 64);

            assertFalse(guest.driver.kickWanted());
        }
    }

    @Test
    void wantsKicksAgainOnceNothingWaits() {
        for (long features : new long[] {0, Virtio.VIRTIO_F_EVENT_IDX}) {
            Guest<?> guest = guest(8, features);
            DeviceQueue queue = guest.start();
            guest.source.left = 0;
            guest.offer(Guest.BUFFERS, 64);
            guest.driver.kickWanted();
            queue.drain();
            guest.source.left = 64;
            queue.drain();

            guest.offer(Guest.BUFFERS, 64);

            assertTrue(guest.driver.kickWanted());
        }
    }

    @Test
    void asksForKicksThatAPredecessorSuppressed() {
        for (long features : new long[] {0, Virtio.VIRTIO_F_EVENT_IDX}) {
            Guest<?> guest = guest(8, features);
            guest.source.left = 0;
            guest.offer(Guest.BUFFERS, 64);
            guest.driver.kickWanted();
            DeviceQueue predecessor = guest.start();
            predecessor.drain();
            guest.source.left = 64;
            guest.start(predecessor.stop()).drain();

            guest.offer(Guest.BUFFERS, 64);

            assertTrue(guest.driver.kickWanted());
        }
    }

    // What has to wait stays in the ring.

    @Test
    void leavesARequestInTheRingWhileTheSourceIsDry() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.source.left = 0;
        guest.offer(Guest.BUFFERS, 64);

        long next = queue.drain();

        assertEquals(DeviceQueue.STARVED, next);
        assertFalse(guest.driver.usedPending());
        assertEquals(0, guest.call.count());
    }

    @Test
    void completesWithWhatADrySourceStillHad() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.source.left = 10;
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(10, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(Guest.BUFFERS + 10));
    }

    @Test
    void asksAgainWhenTheSourceGivesLessThanWasWanted() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.source.atMost = 7;
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 64), guest.bytesAt(Guest.BUFFERS, 64));
    }

    @Test
    void leavesARequestInTheRingWhenTheQuotaIsUsedUpAndTellsWhenToComeBack() {
        Guest<?> guest = guest(8, 0, new Quota(LimitMode.WINDOW, 64, 1000));
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        guest.offer(Guest.BUFFERS, 64);

        guest.now = 5 * MILLI;
        long next = queue.drain();
        int servedFirst = guest.takeAll();
        guest.now = next;
        queue.drain();

        assertEquals(1, servedFirst);
        assertTrue(next > 1005 * MILLI && next < 1010 * MILLI, "told to come back at " + next);
        assertEquals(1, guest.takeAll());
    }

    @Test
    void chargesTheQuotaForWhatWasServedNotForWhatWasClaimed() {
        Guest<?> guest = guest(8, 0, new Quota(LimitMode.WINDOW, 100, 1000));
        DeviceQueue queue = guest.start();
        guest.source.left = 10;
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();

        guest.source.left = 1000;
        guest.offer(Guest.BUFFERS, 500);
        queue.drain();

        guest.driver.takeUsed();
        guest.driver.takeUsed();
        assertEquals(90, guest.driver.usedLength());
    }

    @Test
    void keepsTheQuotaOfAGuestAcrossItsRings() {
        Guest<?> guest = guest(8, 0, new Quota(LimitMode.WINDOW, 64, 1000));
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();

        DeviceQueue again = guest.start(base);
        guest.offer(Guest.BUFFERS, 64);
        again.drain();

        assertEquals(1, guest.takeAll());
    }

    @Test
    void holdsTheSourceOpenWhileItRuns() {
        Guest<?> guest = guest(8, 0);
        boolean before = guest.source.open;
        DeviceQueue queue = guest.start();
        boolean during = guest.source.open;

        queue.stop();

        assertFalse(before);
        assertTrue(during);
        assertFalse(guest.source.open);
    }

    @Test
    void goesOnFromItsBaseAfterAStop() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();
        guest.offer(Guest.BUFFERS + 64, 64);

        guest.start(base).drain();

        assertEquals(2, guest.takeAll());
        assertArrayEquals(Guest.tagged(64, 64), guest.bytesAt(Guest.BUFFERS + 64, 64));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Virtio.VIRTIO_F_EVENT_IDX})
    void asksForNoKickWhileItsCallerStays(long features) {
        Guest<?> guest = guest(8, features);
        DeviceQueue queue = guest.start();
        queue.drain();
        guest.offer(Guest.BUFFERS, 64);

        long next = queue.drainAndStay();
        guest.driver.kickWanted();
        guest.offer(Guest.BUFFERS, 64);

        assertEquals(DeviceQueue.IDLE, next);
        assertFalse(guest.driver.kickWanted());
        assertTrue(queue.isPending());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Virtio.VIRTIO_F_EVENT_IDX})
    void asksForAKickAgainOnceItsCallerStaysNoLonger(long features) {
        Guest<?> guest = guest(8, features);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        queue.drainAndStay();
        guest.driver.kickWanted();

        queue.drain();
        guest.offer(Guest.BUFFERS, 64);

        assertTrue(guest.driver.kickWanted());
    }

    @Test
    void isNotPendingWhenEverythingWasServed() {
        Guest<?> guest = guest(8, 0);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);

        queue.drainAndStay();

        assertFalse(queue.isPending());
    }
}
