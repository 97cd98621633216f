package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.DriverSplitRing;

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
}
