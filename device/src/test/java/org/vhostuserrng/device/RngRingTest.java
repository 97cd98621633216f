package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.transport.DeviceQueue;

/** What a well-behaved driver sees of the entropy device (VIRTIO 1.3 §5.4) on a split virtqueue (§2.7). */
class RngRingTest {
    private static final long MILLI = 1_000_000;

    @Test
    void fillsABufferAndTellsItsLength() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
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
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS + 1, 3);

        queue.drain();

        assertEquals(0, guest.byteAt(Guest.BUFFERS));
        assertEquals(0, guest.byteAt(Guest.BUFFERS + 4));
    }

    @Test
    void fillsTheBuffersOfAChainInTheirOrder() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.offer(BufferElement.writable(Guest.BUFFERS + 1000, 700), BufferElement.writable(Guest.BUFFERS, 300));

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 700), guest.bytesAt(Guest.BUFFERS + 1000, 700));
        assertArrayEquals(Guest.tagged(700, 300), guest.bytesAt(Guest.BUFFERS, 300));
    }

    @Test
    void asksTheSourceOnceForAChainOfSingleBytes() {
        Guest guest = new Guest(64, Virtio.VIRTIO_F_VERSION_1);
        DeviceQueue queue = guest.start(0);
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
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
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
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.SEAM - 500, 1000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(1000, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 1000), guest.bytesAt(Guest.SEAM - 500, 1000));
    }

    @Test
    void givesAtMost64KibToOneRequest() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.SEAM - 100_000, 200_000);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(65536, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(Guest.SEAM - 100_000 + 65536));
    }

    @Test
    void followsAnIndirectTable() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_INDIRECT_DESC);
        DeviceQueue queue = guest.start(0);
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

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 256, 1024, 32768})
    void servesQueuesOfAnySizeAcrossTheWrapOfThe16BitIndices(int size) {
        Guest guest = new Guest(size, Virtio.VIRTIO_F_VERSION_1);
        int base = 65530;
        guest.driver.reset(base);
        DeviceQueue queue = guest.start(base);

        for (int i = 0; i < 20; i++) {
            guest.offer(Guest.BUFFERS, 8);
            queue.drain();

            assertTrue(guest.driver.takeUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals((base + 20) & 0xffff, queue.stop());
    }

    @Test
    void servesAllThatIsAvailableInOneTurnWithOneNotification() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        for (int i = 0; i < 8; i++) {
            guest.offer(Guest.BUFFERS + 64L * i, 64);
        }

        queue.drain();

        assertEquals(8, guest.driver.usedIndex());
        assertEquals(1, guest.call.count());
    }

    @Test
    void endsItsTurnWhenItsShareIsUsedUpAndGoesOnInTheNext() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        for (int i = 0; i < 4; i++) {
            guest.offer(Guest.SEAM, 65536);
        }

        long first = queue.drain();
        int servedFirst = guest.driver.usedIndex();
        while (queue.drain() == DeviceQueue.MORE) {
            assertTrue(guest.source.open);
        }

        assertEquals(DeviceQueue.MORE, first);
        assertEquals(1, servedFirst);
        assertEquals(4, guest.driver.usedIndex());
    }

    // §2.7.7.2

    @Test
    void sendsNoInterruptWithoutACompletion() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void sendsNoInterruptWhenTheFlagSuppressesIt() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.driver.disableInterrupts();
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertEquals(0, guest.call.count());
    }

    @Test
    void sendsNoInterruptBeforeTheUsedEventIsReached() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_EVENT_IDX);
        DeviceQueue queue = guest.start(0);
        guest.driver.setUsedEvent(1);
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();
        long before = guest.call.count();

        guest.offer(Guest.BUFFERS, 64);
        queue.drain();

        assertEquals(0, before);
        assertEquals(1, guest.call.count());
    }

    @Test
    void ignoresTheFlagWithEventIdx() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_EVENT_IDX);
        DeviceQueue queue = guest.start(0);
        guest.driver.setAvailableFlags(Virtio.VIRTQ_AVAIL_F_NO_INTERRUPT);
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertEquals(1, guest.call.count());
    }

    @Test
    void asksForAKickWithTheNextRequestOnceItIsIdle() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_EVENT_IDX);
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS, 64);
        guest.driver.kickWanted();
        queue.drain();

        guest.offer(Guest.BUFFERS, 64);

        assertTrue(guest.driver.kickWanted());
    }

    // What has to wait stays in the ring.

    @Test
    void leavesARequestInTheRingWhileTheSourceIsDry() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.source.left = 0;
        guest.offer(Guest.BUFFERS, 64);

        long next = queue.drain();

        assertEquals(DeviceQueue.STARVED, next);
        assertFalse(guest.driver.usedPending());
        assertEquals(0, guest.call.count());
    }

    @Test
    void completesWithWhatADrySourceStillHad() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.source.left = 10;
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(10, guest.driver.usedLength());
        assertEquals(0, guest.byteAt(Guest.BUFFERS + 10));
    }

    @Test
    void asksAgainWhenTheSourceGivesLessThanWasWanted() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.source.atMost = 7;
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        guest.driver.takeUsed();
        assertEquals(64, guest.driver.usedLength());
        assertArrayEquals(Guest.tagged(0, 64), guest.bytesAt(Guest.BUFFERS, 64));
    }

    @Test
    void leavesARequestInTheRingWhenTheQuotaIsUsedUpAndTellsWhenToComeBack() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1, new Quota(64, 1000));
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS, 64);
        guest.offer(Guest.BUFFERS, 64);

        guest.now = 5 * MILLI;
        long next = queue.drain();
        int servedFirst = guest.driver.usedIndex();
        guest.now = next;
        queue.drain();

        assertEquals(1, servedFirst);
        assertTrue(next > 1005 * MILLI && next < 1010 * MILLI, "told to come back at " + next);
        assertEquals(2, guest.driver.usedIndex());
    }

    @Test
    void chargesTheQuotaForWhatWasServedNotForWhatWasClaimed() {
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1, new Quota(100, 1000));
        DeviceQueue queue = guest.start(0);
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
        Guest guest = new Guest(8, Virtio.VIRTIO_F_VERSION_1, new Quota(64, 1000));
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();

        DeviceQueue again = guest.start(base);
        guest.offer(Guest.BUFFERS, 64);
        again.drain();

        assertEquals(1, guest.driver.usedIndex());
    }

    @Test
    void holdsTheSourceOpenWhileItRuns() {
        Guest guest = Guest.plain();
        boolean before = guest.source.open;
        DeviceQueue queue = guest.start(0);
        boolean during = guest.source.open;

        queue.stop();

        assertFalse(before);
        assertTrue(during);
        assertFalse(guest.source.open);
    }

    @Test
    void goesOnFromItsBaseAfterAStop() {
        Guest guest = Guest.plain();
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS, 64);
        queue.drain();
        int base = queue.stop();
        guest.offer(Guest.BUFFERS + 64, 64);

        guest.start(base).drain();

        assertEquals(1, base);
        assertEquals(2, guest.driver.usedIndex());
        assertArrayEquals(Guest.tagged(64, 64), guest.bytesAt(Guest.BUFFERS + 64, 64));
    }
}
