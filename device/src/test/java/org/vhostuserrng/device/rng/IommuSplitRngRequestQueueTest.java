package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverSplitRing;

/** What a well-behaved driver of a split virtqueue sees of a device behind an IOMMU: what it sees of any other. */
class IommuSplitRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverSplitRing> guest(int size, long features, GuestRateLimiter quota) {
        return RngTestGuest.split(size, features, quota).behindIommu();
    }
}
