package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.frontend.DriverPackedRing;

/** What a well-behaved driver of a packed virtqueue sees of a device behind an IOMMU: what it sees of any other. */
class IommuPackedRngRequestQueueTest extends RngRequestQueueContract {
    @Override
    RngTestGuest<DriverPackedRing> guest(int size, long features, GuestRateLimiter quota) {
        return RngTestGuest.packed(size, features, quota).behindIommu();
    }
}
