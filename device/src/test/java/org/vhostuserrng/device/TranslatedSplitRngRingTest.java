package org.vhostuserrng.device;

import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.SplitDriverRing;

/** What a well-behaved driver of a split virtqueue sees of a device behind an IOMMU: what it sees of any other. */
class TranslatedSplitRngRingTest extends RngRingContract {
    @Override
    Guest<SplitDriverRing> guest(int size, long features, Quota quota) {
        return Guest.split(size, features, quota).behindIommu();
    }
}
