package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverPackedRing;

/** Tests that the entropy device with a packed virtqueue behaves behind an IOMMU as it does without one. */
class IommuPackedRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverPackedRing> guest(int size, long features, GuestRateLimiter rateLimiter) {
        return RngTestGuest.packed(size, features, rateLimiter).behindIommu();
    }
}
