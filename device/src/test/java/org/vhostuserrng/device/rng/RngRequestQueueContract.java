package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests the entropy device (VIRTIO 1.3 §5.4) with a conforming driver. There is a subclass for each format of the
 * virtqueue.
 */
abstract class RngRequestQueueContract {
    private static final long MILLI = 1_000_000;

    abstract RngTestGuest<?> guest(int size, long features, GuestRateLimiter rateLimiter);

    private RngTestGuest<?> guest(int size, long features) {
        return guest(size, features, new GuestRateLimiter(RateLimitConfig.NONE));
    }

    @Test
    void fillsTheBufferAndReportsItsLength() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        int head = guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.EMPTY, result);
        assertTrue(guest.driver.popUsed());
        assertEquals(head, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
    }

    @Test
    void writesNothingOutsideTheBuffer() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS + 1, 3);

        queue.drain();

        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS));
        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS + 4));
    }

    @Test
    void fillsTheBuffersOfAChainInOrder() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 1000, 700),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 300));

        queue.drain();

        guest.driver.popUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 700), guest.bytesAt(RngTestGuest.BUFFERS + 1000, 700));
        assertArrayEquals(RngTestGuest.sequence(700, 300), guest.bytesAt(RngTestGuest.BUFFERS, 300));
    }

    @Test
    void fillsAChainOfSingleByteBuffersWithOneCallOfTheSource() {
        RngTestGuest<?> guest = guest(64, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IntStream.range(0, 64)
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
    void announcesTheBytesOfAllAvailableRequestsToTheSource() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 5; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS + 64L * i, 64);
        }

        queue.drain();

        assertEquals(List.of(5 * 64), guest.source.expectedBytesOfTurns);
    }

    @Test
    void announcesNoMoreBytesThanTheRateLimitGrants() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);

        queue.drain();

        assertEquals(List.of(100), guest.source.expectedBytesOfTurns);
        assertEquals(100, guest.source.written);
    }

    @Test
    void beginsATurnOfTheSourceForEachDrain() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();
        guest.makeAvailable(RngTestGuest.BUFFERS, 16);

        queue.drain();

        assertEquals(List.of(64, 16), guest.source.expectedBytesOfTurns);
    }

    @Test
    void endsTheTurnOfTheSourceWhenTheRingBreaks() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.makeAvailable(DriverBufferElement.readable(RngTestGuest.BUFFERS, 64));

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BROKEN, result);
        assertFalse(guest.source.inTurn);
    }

    @Test
    void skipsEmptyBuffersOfAChain() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 0),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 8, 5),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 0));

        queue.drain();

        guest.driver.popUsed();
        assertEquals(5, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 5), guest.bytesAt(RngTestGuest.BUFFERS + 8, 5));
    }

    @Test
    void fillsABufferThatCrossesARegionBoundary() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION - 500, 1000);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 1000), guest.bytesAt(RngTestGuest.SECOND_REGION - 500, 1000));
    }

    @Test
    void limitsTheDescriptorsReadFromAnIndirectTable() {
        RngTestGuest<?> guest = guest(8, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[5000];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
        chain[4999] = DriverBufferElement.writable(0, 1);
        MemorySegment table = guest.secondRegion.asSlice(0, 16L * chain.length);
        guest.driver.makeAvailable(guest.driver.addIndirectBuffer(table, RngTestGuest.SECOND_REGION, chain));

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(ScatterGatherList.MAX_SEGMENTS, guest.driver.usedLength());
    }

    @Test
    void limitsTheDescriptorsReadFromAChain() {
        RngTestGuest<?> guest = guest(8192, 0);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[5000];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
        chain[4999] = DriverBufferElement.writable(0, 1);
        int longChain = guest.makeAvailable(chain);
        int following = guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(longChain, guest.driver.usedId());
        assertEquals(ScatterGatherList.MAX_SEGMENTS, guest.driver.usedLength());
        assertTrue(guest.driver.popUsed());
        assertEquals(following, guest.driver.usedId());
        assertEquals(64, guest.driver.usedLength());
    }

    @Test
    void fillsAtMost64KibOfARequest() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION - 100_000, 200_000);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(65536, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(RngTestGuest.SECOND_REGION - 100_000 + 65536));
    }

    @Test
    void fillsTheBuffersOfAnIndirectTable() {
        RngTestGuest<?> guest = guest(8, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        int head = guest.driver.addIndirectBuffer(
                guest.secondRegion,
                RngTestGuest.SECOND_REGION,
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 20));
        guest.driver.makeAvailable(head);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(30, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 30), guest.bytesAt(RngTestGuest.BUFFERS, 30));
    }

    @Test
    void servesAllAvailableRequestsInOneDrainWithOneNotification() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 8; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS + 64L * i, 64);
        }

        queue.drain();

        assertEquals(8, guest.takeAllUsed());
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void servesTheRestInTheNextDrainWhenTheBudgetIsSpent() {
        RngTestGuest<?> guest = guest(16, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 11; i++) {
            guest.makeAvailable(RngTestGuest.SECOND_REGION, 65536);
        }

        DrainResult first = queue.drain();
        int servedFirst = guest.takeAllUsed();
        DrainResult second = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, first);
        assertEquals(8, servedFirst);
        assertEquals(DrainResult.EMPTY, second);
        assertEquals(3, guest.takeAllUsed());
    }

    @Test
    void fillsALargeRequestInSeveralDrainsBesideAnotherQueue() {
        RngTestGuest<?> guest = guest(8, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 1, 10_000),
                DriverBufferElement.writable(RngTestGuest.SECOND_REGION, 30_000));

        List<DrainResult> results = List.of(queue.drain(), queue.drain(), queue.drain());

        assertEquals(List.of(DrainResult.BUDGET_SPENT, DrainResult.BUDGET_SPENT, DrainResult.EMPTY), results);
        assertTrue(guest.driver.popUsed());
        assertEquals(40_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 10_000), guest.bytesAt(RngTestGuest.BUFFERS + 1, 10_000));
        assertArrayEquals(RngTestGuest.sequence(10_000, 30_000), guest.bytesAt(RngTestGuest.SECOND_REGION, 30_000));
    }

    @Test
    void fillsARequestOfManySegmentsInSeveralDrainsBesideAnotherQueue() {
        RngTestGuest<?> guest = guest(256, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IntStream.range(0, 150)
                .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.SECOND_REGION + 4096L * i, 2))
                .toArray(DriverBufferElement[]::new));

        List<DrainResult> results = List.of(queue.drain(), queue.drain(), queue.drain());

        assertEquals(List.of(DrainResult.BUDGET_SPENT, DrainResult.BUDGET_SPENT, DrainResult.EMPTY), results);
        assertTrue(guest.driver.popUsed());
        assertEquals(300, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(298, 2), guest.bytesAt(RngTestGuest.SECOND_REGION + 4096L * 149, 2));
    }

    @Test
    void doesNotCompleteAPartlyFilledRequest() {
        RngTestGuest<?> guest = guest(8, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION, 65536);

        queue.drain();

        assertFalse(guest.driver.popUsed());
        assertEquals(0, guest.notifier.count());
    }

    @Test
    void leavesAPartlyFilledRequestAvailableWhenStopped() {
        RngTestGuest<?> guest = guest(8, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION, 20_000);
        queue.drain();

        VirtqueueHandler successor = guest.start(guest.stop(queue));
        successor.drain();
        successor.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(16384, 20_000), guest.bytesAt(RngTestGuest.SECOND_REGION, 20_000));
    }

    @Test
    void restartsAPartlyFilledRequestWhenTheDriverMovesItsBuffer() {
        RngTestGuest<?> guest = guest(8, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION, 20_000);
        queue.drain();
        guest.moveFirstBuffer(RngTestGuest.SECOND_REGION + 4096);

        queue.drain();
        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(20_000, guest.driver.usedLength());
        assertArrayEquals(
                RngTestGuest.sequence(16384, 20_000), guest.bytesAt(RngTestGuest.SECOND_REGION + 4096, 20_000));
    }

    @Test
    void completesAPartlyFilledRequestWhenStarved() {
        RngTestGuest<?> guest = guest(8, 0).besideAnotherQueue();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION, 20_000);
        queue.drain();
        guest.source.remaining = 0;

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(16384, guest.driver.usedLength());
    }

    @Test
    void sendsNoNotificationWithoutAUsedBuffer() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();

        queue.drain();

        assertEquals(0, guest.notifier.count());
    }

    @Test
    void sendsNoNotificationWhenTheDriverDisabledNotifications() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.driver.disableInterrupts();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(0, guest.notifier.count());
    }

    @Test
    void enablesNotificationsWhenTheQueueIsEmpty() {
        RngTestGuest<?> guest = guest(8, VirtioConstants.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.driver.needsKick();
        queue.drain();

        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.needsKick());
    }

    @Test
    void disablesNotificationsWhileStarved() {
        for (long features : new long[] {0, VirtioConstants.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            queue.drain();
            guest.source.remaining = 0;
            guest.makeAvailable(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            queue.drain();

            guest.makeAvailable(RngTestGuest.BUFFERS, 64);

            assertFalse(guest.driver.needsKick());
        }
    }

    @Test
    void enablesNotificationsWhenNoLongerStarved() {
        for (long features : new long[] {0, VirtioConstants.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            VirtqueueHandler queue = guest.start();
            guest.source.remaining = 0;
            guest.makeAvailable(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            queue.drain();
            guest.source.remaining = 64;
            queue.drain();

            guest.makeAvailable(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.needsKick());
        }
    }

    @Test
    void enablesNotificationsThatAPredecessorDisabled() {
        for (long features : new long[] {0, VirtioConstants.VIRTIO_F_EVENT_IDX}) {
            RngTestGuest<?> guest = guest(8, features);
            guest.source.remaining = 0;
            guest.makeAvailable(RngTestGuest.BUFFERS, 64);
            guest.driver.needsKick();
            VirtqueueHandler predecessor = guest.start();
            predecessor.drain();
            guest.source.remaining = 64;
            guest.start(guest.stop(predecessor)).drain();

            guest.makeAvailable(RngTestGuest.BUFFERS, 64);

            assertTrue(guest.driver.needsKick());
        }
    }

    // Starved and throttled requests stay available.

    @Test
    void leavesTheRequestAvailableWhileStarved() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.remaining = 0;
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.STARVED, result);
        assertFalse(guest.driver.hasUsed());
        assertEquals(0, guest.notifier.count());
    }

    @Test
    void completesTheRequestWithFewerBytesWhenTheSourceRunsOut() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.remaining = 10;
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(10, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(RngTestGuest.BUFFERS + 10));
    }

    @Test
    void callsTheSourceAgainAfterAShortFill() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.source.maxPerFill = 7;
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        guest.driver.popUsed();
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(RngTestGuest.sequence(0, 64), guest.bytesAt(RngTestGuest.BUFFERS, 64));
    }

    @Test
    void leavesTheRequestAvailableUntilRetryAtWhenThrottled() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        guest.now = 5 * MILLI;
        DrainResult result = queue.drain();
        long retryAt = queue.retryAt();
        int servedFirst = guest.takeAllUsed();
        guest.now = retryAt;
        queue.drain();

        assertEquals(DrainResult.THROTTLED, result);
        assertEquals(1, servedFirst);
        assertTrue(retryAt > 1005 * MILLI && retryAt < 1010 * MILLI, "retry at " + retryAt);
        assertEquals(1, guest.takeAllUsed());
    }

    @Test
    void chargesTheRateLimitForWrittenBytesNotForTheBufferSize() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        VirtqueueHandler queue = guest.start();
        guest.source.remaining = 10;
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();

        guest.source.remaining = 1000;
        guest.makeAvailable(RngTestGuest.BUFFERS, 500);
        queue.drain();

        guest.driver.popUsed();
        guest.driver.popUsed();
        assertEquals(90, guest.driver.usedLength());
    }

    @Test
    void chargesTheRateLimitForARequestWhoseBufferFaults() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        VirtqueueHandler queue = guest.start();
        guest.source.targetFaults = true;
        guest.makeAvailable(RngTestGuest.BUFFERS, 100);
        DrainResult faulted = queue.drain();

        VirtqueueHandler restarted = guest.start(guest.stop(queue));
        DrainResult result = restarted.drain();

        assertEquals(DrainResult.BROKEN, faulted);
        assertEquals(DrainResult.THROTTLED, result);
    }

    @Test
    void chargesTheRateLimitForARequestWhoseBufferVanishes() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        VirtqueueHandler queue = guest.start();
        guest.source.targetVanishes = true;
        guest.makeAvailable(RngTestGuest.BUFFERS, 100);
        assertThrows(InternalError.class, queue::drain);

        VirtqueueHandler restarted = guest.start(guest.stop(queue));
        guest.makeAvailable(RngTestGuest.BUFFERS, 100);
        DrainResult result = restarted.drain();

        assertEquals(DrainResult.THROTTLED, result);
    }

    @Test
    void keepsTheRateLimitWhenTheQueueIsRestarted() {
        RngTestGuest<?> guest = guest(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 64, 1000));
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();
        int base = guest.stop(queue);

        VirtqueueHandler restarted = guest.start(base);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        restarted.drain();

        assertEquals(1, guest.takeAllUsed());
    }

    @Test
    void keepsTheSourceOpenFromStartToStop() {
        RngTestGuest<?> guest = guest(8, 0);
        boolean openBeforeStart = guest.source.open;
        VirtqueueHandler queue = guest.start();
        boolean openAfterStart = guest.source.open;

        queue.stop();

        assertFalse(openBeforeStart);
        assertTrue(openAfterStart);
        assertFalse(guest.source.open);
    }

    @Test
    void resumesAtItsBaseAfterAStop() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();
        int base = guest.stop(queue);
        guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);

        guest.start(base).drain();

        assertEquals(2, guest.takeAllUsed());
        assertArrayEquals(RngTestGuest.sequence(64, 64), guest.bytesAt(RngTestGuest.BUFFERS + 64, 64));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioConstants.VIRTIO_F_EVENT_IDX})
    void disablesNotificationsDuringBusyPolling(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        queue.drain();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        DrainResult result = queue.drainForBusyPoll();
        guest.driver.needsKick();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        assertEquals(DrainResult.EMPTY, result);
        assertFalse(guest.driver.needsKick());
        assertTrue(queue.hasPending());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioConstants.VIRTIO_F_EVENT_IDX})
    void enablesNotificationsAfterBusyPolling(long features) {
        RngTestGuest<?> guest = guest(8, features);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drainForBusyPoll();
        guest.driver.needsKick();

        queue.drain();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        assertTrue(guest.driver.needsKick());
    }

    @Test
    void hasNothingPendingAfterServingAllRequests() {
        RngTestGuest<?> guest = guest(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drainForBusyPoll();

        assertFalse(queue.hasPending());
    }
}
