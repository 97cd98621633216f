package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.transport.DeviceQueue;

/** What a well-behaved driver sees on a split virtqueue (VIRTIO 1.3 §2.7). */
class SplitRngRingTest extends RngRingContract {
    @Override
    Guest<SplitDriverRing> guest(int size, long features, Quota quota) {
        return Guest.split(size, features, quota);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 256, 1024, 32768})
    void servesQueuesOfAnySizeAcrossTheWrapOfThe16BitIndices(int size) {
        Guest<SplitDriverRing> guest = Guest.split(size, 0);
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
    void sendsNoInterruptBeforeTheUsedEventIsReached() {
        Guest<SplitDriverRing> guest = Guest.split(8, Virtio.VIRTIO_F_EVENT_IDX);
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
        Guest<SplitDriverRing> guest = Guest.split(8, Virtio.VIRTIO_F_EVENT_IDX);
        DeviceQueue queue = guest.start(0);
        guest.driver.setAvailableFlags(Virtio.VIRTQ_AVAIL_F_NO_INTERRUPT);
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertEquals(1, guest.call.count());
    }
}
