package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.VirtioDevice;

class VirtioRngDeviceTest {
    @Test
    void sourceOfAStartedVirtqueueIsClosed() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        guest.start();
        boolean before = guest.source.open;

        guest.device.closeSource();

        assertTrue(before);
        assertFalse(guest.source.open);
    }

    @Test
    void sourceOfAStoppedVirtqueueIsClosedOnce() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        guest.stop(guest.start());

        guest.device.closeSource();

        assertFalse(guest.source.open);
    }

    @Test
    void nextProcessPausesAGuestThatWasPaused() {
        MemorySegment kept = MemorySegment.ofArray(new long[VirtioDevice.PERSISTED_BYTES / Long.BYTES]);
        VirtioRngDevice first = RngTestGuest.split().device;
        first.persistIn(kept, false, 0, 0);
        first.setPaused(true);
        VirtioRngDevice next = RngTestGuest.split().device;

        next.persistIn(kept, true, 0, 0);

        assertTrue(next.isPaused());
    }

    @Test
    void newSessionOfTheNextProcessIsNotPaused() {
        MemorySegment kept = MemorySegment.ofArray(new long[VirtioDevice.PERSISTED_BYTES / Long.BYTES]);
        VirtioRngDevice first = RngTestGuest.split().device;
        first.persistIn(kept, false, 0, 0);
        first.setPaused(true);
        VirtioRngDevice next = RngTestGuest.split().device;

        next.persistIn(kept, false, 0, 0);

        assertFalse(next.isPaused());
    }

    @Test
    void countersThatAnEarlierReleaseKeptContinue() {
        MemorySegment kept = MemorySegment.ofArray(new long[VirtioDevice.PERSISTED_BYTES / Long.BYTES]);
        kept.set(ValueLayout.JAVA_LONG, 8, 1234);
        VirtioRngDevice next = RngTestGuest.split().device;

        next.persistIn(kept, true, 0, 0);

        assertEquals(1234, next.counters().bytes());
    }

    @Test
    void damagedStateOfThePreviousProcessIsReported() {
        MemorySegment kept = MemorySegment.ofArray(new long[VirtioDevice.PERSISTED_BYTES / Long.BYTES]);
        RngTestGuest.split().device.persistIn(kept, false, 0, 0);
        // The counter of bytes in the copy that was written first, which is the second one.
        long damaged = 128 + 104 + 16;
        kept.set(ValueLayout.JAVA_LONG, damaged, 1);

        assertFalse(RngTestGuest.split().device.persistIn(kept, true, 0, 0));
    }
}
