package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** A virtqueue whose driver conforms to the specification: the driver of module {@code frontend}. */
record ConformingDriverRing(DriverRingAddresses addresses, DriverRing driver) {
    /**
     * Lays out an empty virtqueue.
     *
     * @param memory memory for the virtqueue, which begins at the first byte
     * @param guestAddress guest-physical address of {@code memory}
     */
    static ConformingDriverRing of(
            boolean packed, MemorySegment memory, long guestAddress, int size, boolean eventIdx) {
        if (packed) {
            DriverPackedRingAddresses addresses = DriverPackedRingAddresses.contiguous(guestAddress, size);
            return new ConformingDriverRing(addresses, new DriverPackedRing(memory, guestAddress, addresses, eventIdx));
        }
        DriverSplitRingAddresses addresses = DriverSplitRingAddresses.contiguous(guestAddress, size);
        return new ConformingDriverRing(addresses, new DriverSplitRing(memory, guestAddress, addresses, eventIdx));
    }

    VirtqueueConfig.Areas areas() {
        return new VirtqueueConfig.Areas(addresses.descriptorArea(), addresses.driverArea(), addresses.deviceArea());
    }
}
