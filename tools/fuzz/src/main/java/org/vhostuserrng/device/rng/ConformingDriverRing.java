package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;

/** A driver that keeps the rules, and where its virtqueue lies: the front-end module's. */
record ConformingDriverRing(DriverRingAddresses layout, DriverRing ring) {
    /**
     * An empty virtqueue.
     *
     * @param memory where it lies at the beginning
     * @param guestAddress of the memory's first byte
     */
    static ConformingDriverRing of(
            boolean packed, MemorySegment memory, long guestAddress, int size, boolean eventIdx) {
        if (packed) {
            DriverPackedRingAddresses layout = DriverPackedRingAddresses.contiguous(guestAddress, size);
            return new ConformingDriverRing(layout, new DriverPackedRing(memory, guestAddress, layout, eventIdx));
        }
        DriverSplitRingAddresses layout = DriverSplitRingAddresses.contiguous(guestAddress, size);
        return new ConformingDriverRing(layout, new DriverSplitRing(memory, guestAddress, layout, eventIdx));
    }

    QueueAreas areas() {
        return new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
    }
}
