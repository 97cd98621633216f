package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests the entropy device with a split virtqueue (VIRTIO 1.3 §2.7). */
class SplitRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverSplitRing> guest(int size, long features, GuestRateLimiter rateLimiter) {
        return RngTestGuest.split(size, features, rateLimiter);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 256, 1024, 32768})
    void servesAnyQueueSizeAcrossTheWrapOfThe16BitIndices(int size) {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(size, 0);
        int base = 65530;
        guest.driver.reset(base);
        VirtqueueHandler queue = guest.start(base);

        for (int i = 0; i < 20; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS, 8);
            queue.drain();

            assertTrue(guest.driver.popUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals((base + 20) & 0xffff, guest.stop(queue));
    }

    @Test
    void sendsNoNotificationBeforeUsedEventIsReached() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(8, VirtioConstants.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start(0);
        guest.driver.setUsedEvent(1);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();
        long notificationsBefore = guest.notifier.count();

        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        queue.drain();

        assertEquals(0, notificationsBefore);
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void ignoresTheNoInterruptFlagWithEventIdx() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(8, VirtioConstants.VIRTIO_F_EVENT_IDX);
        VirtqueueHandler queue = guest.start(0);
        guest.driver.setAvailFlags(VirtioConstants.VIRTQ_AVAIL_F_NO_INTERRUPT);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(1, guest.notifier.count());
    }
}
