package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioSpec;
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

        DrainResult next = queue.drain();

        assertEquals(DrainResult.EMPTY, next);
        assertTrue(guest.driver.takeUsed());
        assertEquals(head, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
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

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 700), guest.bytesAt(RngTestGuest.BUFFERS + 1000, 700));
        assertArrayEquals(RngTestGuest.sequence(700, 300), guest.bytesAt(RngTestGuest.BUFFERS, 300));
    }

    @Test
    void asksTheSourceOnceForAChainOfSingleBytes() {
        RngTestGuest<?> guest = guest(64, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(IntStream.range(0, 64)
                .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.BUFFERS + 2L * i, 1))
                .toArray(DriverBufferElement[]::new));

        queue.drain();

        guest.driver.takeUsed();
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

        guest.driver.takeUsed();
        assertEquals(5, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 5), guest.bytesAt(RngTestGuest.BUFFERS + 8, 5));
    }

    @Test
    void fillsABufferThatLiesAcrossTwoRegions() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM - 500, 1000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 1000), guest.bytesAt(RngTestGuest.SEAM - 500, 1000));
    }

    @Test
    void looksNoFurtherIntoATableThanARequestCanCost() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[5000];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
        chain[4999] = DriverBufferElement.writable(0, 1);
        MemorySegment table = guest.second.asSlice(0, 16L * chain.length);
        guest.driver.makeAvailable(guest.driver.addIndirect(table, RngTestGuest.SEAM, chain));

        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(ScatterGatherList.MAX_SEGMENTS, guest.driver.usedLength());
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

        assertTrue(guest.driver.takeUsed());
        assertEquals(overlong, guest.driver.usedId());
        assertEquals(ScatterGatherList.MAX_SEGMENTS, guest.driver.usedLength());
        assertTrue(guest.driver.takeUsed());
        assertEquals(next, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
    }

    @Test
    void givesAtMost64KibToOneRequest() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM - 100_000, 200_000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(65536, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(RngTestGuest.SEAM - 100_000 + 65536));
    }

    @Test
    void followsAnIndirectTable() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        int head = guest.driver.addIndirect(
                guest.second,
                RngTestGuest.SEAM,
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 20));
        guest.driver.makeAvailable(head);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(30, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 30), guest.bytesAt(RngTestGuest.BUFFERS, 30));
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
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void endsItsTurnWhenItsShareIsUsedUpAndGoesOnInTheNext() {
        RngTestGuest<?> guest = guest(16, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 11; i++) {
            guest.offer(RngTestGuest.SEAM, 65536);
        }

        DrainResult first = queue.drain();
        int servedFirst = guest.takeAll();
        DrainResult second = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, first);
        assertEquals(8, servedFirst);
        assertEquals(DrainResult.EMPTY, second);
        assertEquals(3, guest.takeAll());
    }

    @Test
    void fillsALargeRequestInSeveralTurnsWhereOthersWaitForTheirs() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 1, 10_000),
                DriverBufferElement.writable(RngTestGuest.SEAM, 30_000));

        List<DrainResult> results = List.of(queue.drain(), queue.drain(), queue.drain());

        assertEquals(List.of(DrainResult.BUDGET_SPENT, DrainResult.BUDGET_SPENT, DrainResult.EMPTY), results);
        assertTrue(guest.driver.takeUsed());
        assertEquals(40_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 10_000), guest.bytesAt(RngTestGuest.BUFFERS + 1, 10_000));
        assertArrayEquals(RngTestGuest.sequence(10_000, 30_000), guest.bytesAt(RngTestGuest.SEAM, 30_000));
    }

    @Test
    void fillsARequestOfManyPiecesInSeveralTurnsWhereOthersWaitForTheirs() {
        RngTestGuest<?> guest = guest(256, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(IntStream.range(0, 150)
                .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.SEAM + 4096L * i, 2))
                .toArray(DriverBufferElement[]::new));

        List<DrainResult> results = List.of(queue.drain(), queue.drain(), queue.drain());

        assertEquals(List.of(DrainResult.BUDGET_SPENT, DrainResult.BUDGET_SPENT, DrainResult.EMPTY), results);
        assertTrue(guest.driver.takeUsed());
        assertEquals(300, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(298, 2), guest.bytesAt(RngTestGuest.SEAM + 4096L * 149, 2));
    }

    @Test
    void tellsNothingOfARequestThatIsPartlyFilled() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 65536);

        queue.drain();

        assertFalse(guest.driver.takeUsed());
        assertEquals(0, guest.notifier.count());
    }

    @Test
    void leavesARequestThatIsPartlyFilledToTheNextQueue() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 20_000);
        queue.drain();

        VirtqueueHandler next = guest.start(guest.stop(queue));
        next.drain();
        next.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(16384, 20_000), guest.bytesAt(RngTestGuest.SEAM, 20_000));
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

        assertTrue(guest.driver.takeUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(16384, 20_000), guest.bytesAt(RngTestGuest.SEAM + 4096, 20_000));
    }

    @Test
    void completesWhatWasFilledWhenTheSourceHasNoMore() {
        RngTestGuest<?> guest = guest(8, 0).besideAnother();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 20_000);
        queue.drain();
        guest.source.left = 0;

        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(16384, guest.driver.usedLength());
    }

    @Test
    void sendsNoInterruptWithoutACompletion() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();

        queue.drain();

        assertEquals(0, guest.notifier.count());
    }

    @Test
    void sendsNoInterruptWhenTheFlagSuppressesIt() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.driver.disableInterrupts();
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(0, guest.notifier.count());
    }

    @Test
    void asksForAKickWithTheNextRequestOnceItIsIdle() {
        RngTestGuest<?> guest = guest(8, VirtioSpec.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        guest.driver.kickWanted();
        queue.drain();

        guest.offer(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.kickWanted());
    }

    @Test
    void wantsNoKickWhileARequestWaitsForTheSource() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            queue.drain();
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.kickWanted();
            queue.drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertFalse(guest.driver.kickWanted());
        }
    }

    @Test
    void wantsKicksAgainOnceNothingWaits() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.kickWanted();
            queue.drain();
            guest.source.left = 64;
            queue.drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.kickWanted());
        }
    }

    @Test
    void asksForKicksThatAPredecessorSuppressed() {
        for (long features : new long[] {0, VirtioSpec.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            guest.source.left = 0;
            guest.offer(RngTestGuest.BUFFERS, 64);
            guest.driver.kickWanted();
            VirtqueueHandler predecessor = guest.start();
            predecessor.drain();
            guest.source.left = 64;
            guest.start(guest.stop(predecessor)).drain();

            guest.offer(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.kickWanted());
        }
    }

    // What has to wait stays in the ring.

    @Test
    void leavesARequestInTheRingWhileTheSourceIsDry() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.left = 0;
        guest.offer(RngTestGuest.BUFFERS, 64);

        DrainResult next = queue.drain();

        assertEquals(DrainResult.STARVED, next);
        assertFalse(guest.driver.usedPending());
        assertEquals(0, guest.notifier.count());
    }

    @Test
    void completesWithWhatADrySourceStillHad() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.left = 10;
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        guest.driver.takeUsed();
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

        guest.driver.takeUsed();
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
    }

    @Test
    void leavesARequestInTheRingWhenTheQuotaIsUsedUpAndTellsWhenToComeBack() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        guest.offer(RngTestGuest.BUFFERS, 64);

        guest.now = 5 * MILLI;
        DrainResult result = queue.drain();
        long retryAt = queue.retryAt();
        int servedFirst = guest.takeAll();
        guest.now = retryAt;
        queue.drain();

        assertEquals(DrainResult.THROTTLED, result);
        assertEquals(1, servedFirst);
        assertTrue(retryAt > 1005 * MILLI && retryAt < 1010 * MILLI, "retry at " + retryAt);
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

        guest.driver.takeUsed();
        guest.driver.takeUsed();
        assertEquals(90, guest.driver.usedLength());
    }

    @Test
    void keepsTheQuotaOfAGuestAcrossItsRings() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();
        int base = guest.stop(queue);

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
        int base = guest.stop(queue);
        guest.offer(RngTestGuest.BUFFERS + 64, 64);

        guest.start(base).drain();

        assertEquals(2, guest.takeAll());
        assertArrayEquals(RngTestGuest.sequence(64, 64), guest.bytesAt(RngTestGuest.BUFFERS + 64, 64));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioSpec.VIRTIO_F_EVENT_IDX})
    void asksForNoKickWhileItsCallerStays(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        queue.drain();
        guest.offer(RngTestGuest.BUFFERS, 64);

        DrainResult next = queue.drainForBusyPoll();
        guest.driver.kickWanted();
        guest.offer(RngTestGuest.BUFFERS, 64);

        assertEquals(DrainResult.EMPTY, next);
        assertFalse(guest.driver.kickWanted());
        assertTrue(queue.hasPending());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioSpec.VIRTIO_F_EVENT_IDX})
    void asksForAKickAgainOnceItsCallerStaysNoLonger(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drainForBusyPoll();
        guest.driver.kickWanted();

        queue.drain();
        guest.offer(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.kickWanted());
    }

    @Test
    void isNotPendingWhenEverythingWasServed() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drainForBusyPoll();

        assertFalse(queue.hasPending());
    }
}
