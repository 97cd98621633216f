package org.vhostuserrng.device.rng;

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
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.backends.RateLimitConfig;
import org.vhostuserrng.backends.RateLimitMode;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** What a well-behaved driver sees of the entropy device (VIRTIO 1.3 §5.4), whatever the format of its virtqueue. */
abstract class RngRequestQueueContract {
    private static final long MILLI = 1_000_000;

    abstract RngTestGuest<?> guest(int size, long features, GuestRateLimiter quota);

    private RngTestGuest<?> guest(int size, long features) {
        return guest(size, features, new GuestRateLimiter(RateLimitConfig.NONE));
    }

    @Test
    void fillsABufferAndTellsItsLength() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        int head = guest.offer(RngTestGuest.BUFFERS, 64);

        long next = queue.drain();

        assertEquals(VirtqueueHandler.IDLE, next);
        assertTrue(guest.driver.popUsed());
        assertEquals(head, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
    }

    @Test
    void writesNothingBesideTheBuffer() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS + 1, 3);

        queue.drain();

        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS));
        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS + 4));
    }

    @Test
    void fillsTheBuffersOfAChainInTheirOrder() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 1000, 700),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 300));

        queue.drain();

        guest.driver.popUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 700), guest.bytesAt(RngTestGuest.BUFFERS + 1000, 700));
        assertArrayEquals(RngTestGuest.tagged(700, 300), guest.bytesAt(RngTestGuest.BUFFERS, 300));
    }

    @Test
    void asksTheSourceOnceForAChainOfSingleBytes() {
        RngTestGuest<?> guest = guest(64, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(IntStream.range(0, 64)
                .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.BUFFERS + 2L * i, 1))
                .toArray(DriverBufferElement[]::new));

        queue.drain();

        guest.driver.popUsed();
        assertEquals(64, guest.driver.usedLength());
        assertEquals(SequenceEntropySource.byteAt(63), guest.byteAt(RngTestGuest.BUFFERS + 126));
        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS + 125));
        assertEquals(1, guest.source.calls);
    }

    @Test
    void skipsEmptyBuffersOfAChain() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 0),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 8, 5),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 0));

        queue.drain();

        guest.driver.popUsed();
        assertEquals(5, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 5), guest.bytesAt(RngTestGuest.BUFFERS + 8, 5));
    }

    @Test
    void fillsABufferThatLiesAcrossTwoRegions() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM - 500, 1000);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 1000), guest.bytesAt(RngTestGuest.SEAM - 500, 1000));
    }

    @Test
    void looksNoFurtherIntoATableThanARequestCanCost() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[5000];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
        chain[4999] = DriverBufferElement.writable(0, 1);
        MemorySegment table = guest.second.asSlice(0, 16L * chain.length);
        guest.driver.makeAvailable(guest.driver.addIndirectBuffer(table, RngTestGuest.SEAM, chain));

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(ScatterGatherList.MOST_PIECES, guest.driver.usedLength());
    }

    @Test
    void looksNoFurtherAlongAChainThanARequestCanCost() {
        RngTestGuest<?> guest = guest(8192, 0);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[5000];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
        chain[4999] = DriverBufferElement.writable(0, 1);
        int overlong = guest.offer(chain);
        int next = guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(overlong, guest.driver.usedId());
        assertEquals(ScatterGatherList.MOST_PIECES, guest.driver.usedLength());
        assertTrue(guest.driver.popUsed());
        assertEquals(next, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
    }

    @Test
    void givesAtMost64KibToOneRequest() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM - 100_000, 200_000);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(65536, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(RngTestGuest.SEAM - 100_000 + 65536));
    }

    @Test
    void followsAnIndirectTable() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        int head = guest.driver.addIndirectBuffer(
                guest.second,
                RngTestGuest.SEAM,
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 20));
        guest.driver.makeAvailable(head);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(30, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 30), guest.bytesAt(RngTestGuest.BUFFERS, 30));
    }

    @Test
    void servesAllThatIsAvailableInOneTurnWithOneNotification() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 8; i++) {
            guest.offer(RngTestGuest.BUFFERS + 64L * i, 64);
        }

        queue.drain();

        assertEquals(8, guest.takeAll());
        assertEquals(1, guest.call.count());
    }

    @Test
    void endsItsTurnWhenItsShareIsUsedUpAndGoesOnInTheNext() {
        RngTestGuest<?> guest = guest(16, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 11; i++) {
            guest.offer(RngTestGuest.SEAM, 65536);
        }

        long first = queue.drain();
        int servedFirst = guest.takeAll();
        long second = queue.drain();

        assertEquals(VirtqueueHandler.MORE, first);
        assertEquals(8, servedFirst);
        assertEquals(VirtqueueHandler.IDLE, second);
        assertEquals(3, guest.takeAll());
    }

    @Test
    void fillsALargeRequestInSeveralTurnsWhereOthersWaitForTheirs() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 1, 10_000),
                DriverBufferElement.writable(RngTestGuest.SEAM, 30_000));

        long[] turns = LongStream.range(0, 3).map(i -> queue.drain()).toArray();

        assertArrayEquals(new long[] {VirtqueueHandler.MORE, VirtqueueHandler.MORE, VirtqueueHandler.IDLE}, turns);
        assertTrue(guest.driver.popUsed());
        assertEquals(40_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 10_000), guest.bytesAt(RngTestGuest.BUFFERS + 1, 10_000));
        assertArrayEquals(RngTestGuest.tagged(10_000, 30_000), guest.bytesAt(RngTestGuest.SEAM, 30_000));
    }

    @Test
    void fillsARequestOfManyPiecesInSeveralTurnsWhereOthersWaitForTheirs() {
        RngTestGuest<?> guest = guest(256, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(IntStream.range(0, 150)
                .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.SEAM + 4096L * i, 2))
                .toArray(DriverBufferElement[]::new));

        long[] turns = LongStream.range(0, 3).map(i -> queue.drain()).toArray();

        assertArrayEquals(new long[] {VirtqueueHandler.MORE, VirtqueueHandler.MORE, VirtqueueHandler.IDLE}, turns);
        assertTrue(guest.driver.popUsed());
        assertEquals(300, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(298, 2), guest.bytesAt(RngTestGuest.SEAM + 4096L * 149, 2));
    }

    @Test
    void tellsNothingOfARequestThatIsPartlyFilled() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 65536);

        queue.drain();

        assertFalse(guest.driver.popUsed());
        assertEquals(0, guest.call.count());
    }

    @Test
    void leavesARequestThatIsPartlyFilledToTheNextQueue() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 20_000);
        queue.drain();

        VirtqueueHandler next = guest.start(queue.stop());
        next.drain();
        next.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(16384, 20_000), guest.bytesAt(RngTestGuest.SEAM, 20_000));
    }

    @Test
    void beginsAnewWithARequestWhoseBuffersTheDriverHasChanged() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 20_000);
        queue.drain();
        guest.moveFirstBuffer(RngTestGuest.SEAM + 4096);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(16384, 20_000), guest.bytesAt(RngTestGuest.SEAM + 4096, 20_000));
    }

    @Test
    void completesWhatWasFilledWhenTheSourceHasNoMore() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 20_000);
        queue.drain();
        guest.source.left = 0;

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(16384, guest.driver.usedLength());
    }

    @Test
    void sendsNoInterruptWithoutACompletion() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void sendsNoInterruptWhenTheFlagSuppressesIt() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.driver.disableInterrupts();
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void asksForAKickWithTheNextRequestOnceItIsIdle() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        guest.driver.needsKick();
        queue.drain();

        guest.offer(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.needsKick());
    }

    @Test
    void wantsNoKickWhileARequestWaitsForTheSource() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            queue.drain();
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            queue.drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertFalse(guest.driver.needsKick());
        }
    }

    @Test
    void wantsKicksAgainOnceNothingWaits() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            queue.drain();
            guest.source.left = 64;
            queue.drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.needsKick());
        }
    }

    @Test
    void asksForKicksThatAPredecessorSuppressed() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            VirtqueueHandler predecessor = guest.start();
            predecessor.drain();
            guest.source.left = 64;
            guest.start(predecessor.stop()).drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.needsKick());
        }
    }

    // What has to wait stays in the ring.

    @Test
    void leavesARequestInTheRingWhileTheSourceIsDry() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.left = 0;
        guest.offer(RngTestGuest.BUFFERS, 64);

        long next = queue.drain();

        assertEquals(VirtqueueHandler.STARVED, next);
        assertFalse(guest.driver.hasUsed());
        assertEquals(0, guest.call.count());
    }

    @Test
    void completesWithWhatADrySourceStillHad() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.left = 10;
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(10, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS + 10));
    }

    @Test
    void asksAgainWhenTheSourceGivesLessThanWasWanted() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.atMost = 7;
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.tagged(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
    }

    @Test
    void leavesARequestInTheRingWhenTheQuotaIsUsedUpAndTellsWhenToComeBack() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        guest.offer(RngTestGuest.BUFFERS, 64);

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
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        VirtqueueHandler queue = guest.start();
        guest.source.left = 10;
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();

        guest.source.left = 1000;
        guest.offer(RngTestGuest.BUFFERS, 500);
        queue.drain();

        guest.driver.popUsed();
        guest.driver.popUsed();
        assertEquals(90, guest.driver.usedLength());
    }

    @Test
    void keepsTheQuotaOfAGuestAcrossItsRings() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();

        VirtqueueHandler again = guest.start(base);
        guest.offer(RngTestGuest.BUFFERS, 64);
        again.drain();

        assertEquals(1, guest.takeAll());
    }

    @Test
    void holdsTheSourceOpenWhileItRuns() {
        RngTestGuest<?> guest = guest(8, 0);
        boolean before = guest.source.open;
        VirtqueueHandler queue = guest.start();
        boolean during = guest.source.open;

        queue.stop();

        assertFalse(before);
        assertTrue(during);
        assertFalse(guest.source.open);
    }

    @Test
    void goesOnFromItsBaseAfterAStop() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();
        guest.offer(RngTestGuest.BUFFERS + 64, 64);

        guest.start(base).drain();

        assertEquals(2, guest.takeAll());
        assertArrayEquals(RngTestGuest.tagged(64, 64), guest.bytesAt(RngTestGuest.BUFFERS + 64, 64));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioSpec.VIRTIO_F_EVENT_IDX})
    void asksForNoKickWhileItsCallerStays(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        queue.drain();
        guest.offer(RngTestGuest.BUFFERS, 64);

        long next = queue.drainAndStay();
        guest.driver.needsKick();
        guest.offer(RngTestGuest.BUFFERS, 64);

        assertEquals(VirtqueueHandler.IDLE, next);
        assertFalse(guest.driver.needsKick());
        assertTrue(queue.isPending());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioSpec.VIRTIO_F_EVENT_IDX})
    void asksForAKickAgainOnceItsCallerStaysNoLonger(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drainAndStay();
        guest.driver.needsKick();

        queue.drain();
        guest.offer(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.needsKick());
    }

    @Test
    void isNotPendingWhenEverythingWasServed() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drainAndStay();

        assertFalse(queue.isPending());
    }
}
