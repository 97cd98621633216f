package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** What a well-behaved driver sees on a split virtqueue (VIRTIO 1.3 §2.7). */
class SplitRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverSplitRing> guest(int size, long features, GuestRateLimiter quota) {
        return RngTestGuest.split(size, features, quota);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 256, 1024, 32768})
    void servesQueuesOfAnySizeAcrossTheWrapOfThe16BitIndices(int size) {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(size, 0);
        int base = 65530;
        guest.driver.reset(base);
        VirtqueueHandler queue = guest.start(base);

        for (int i = 0; i < 20; i++) {
            guest.offer(RngTestGuest.BUFFERS, 8);
            queue.drain();

            assertTrue(guest.driver.popUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals((base + 20) & 0xffff, queue.stop());
    }

    @Test
    void sendsNoInterruptBeforeTheUsedEventIsReached() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(8, VirtioSpec.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start(0);
        guest.driver.setUsedEvent(1);
        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();
        long before = guest.call.count();

        guest.offer(RngTestGuest.BUFFERS, 64);
        queue.drain();

        assertEquals(0, before);
        assertEquals(1, guest.call.count());
    }

    @Test
    void ignoresTheFlagWithEventIdx() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(8, VirtioSpec.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start(0);
        guest.driver.setAvailFlags(VirtioSpec.VIRTQ_AVAIL_F_NO_INTERRUPT);
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(1, guest.call.count());
    }
}
