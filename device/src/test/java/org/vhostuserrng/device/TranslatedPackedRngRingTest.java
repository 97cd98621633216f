package org.vhostuserrng.device;

import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.PackedDriverRing;

/** What a well-behaved driver of a packed virtqueue sees of a device behind an IOMMU: what it sees of any other. */
class TranslatedPackedRngRingTest extends RngRingContract {
    @Override
    Guest<PackedDriverRing> guest(int size, long features, Quota quota) {
        return Guest.packed(size, features, quota).behindIommu();
    }
}
