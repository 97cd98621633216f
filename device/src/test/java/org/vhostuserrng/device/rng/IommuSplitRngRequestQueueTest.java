package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverSplitRing;

/** Tests that the entropy device with a split virtqueue behaves behind an IOMMU as it does without one. */
class IommuSplitRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverSplitRing> guest(int size, long features, GuestRateLimiter rateLimiter) {
        return RngTestGuest.split(size, features, rateLimiter).behindIommu();
    }
}
