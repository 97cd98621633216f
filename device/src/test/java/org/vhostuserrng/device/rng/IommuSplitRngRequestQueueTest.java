package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverSplitRing;

/** With a split virtqueue, the entropy device behaves behind an IOMMU as it does without one. */
class IommuSplitRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverSplitRing> guest(int size, long features, GuestRateLimiter rateLimiter) {
        return RngTestGuest.split(size, features, rateLimiter).behindIommu();
    }
}
