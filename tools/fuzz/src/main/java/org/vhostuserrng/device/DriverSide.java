package org.vhostuserrng.device;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.frontend.PackedRingLayout;
import org.vhostuserrng.frontend.RingLayout;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.frontend.SplitRingLayout;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;

/** A driver that keeps the rules, and where its virtqueue lies: the front-end module's. */
record DriverSide(RingLayout layout, DriverRing ring) {
    /**
     * An empty virtqueue.
     *
     * @param memory where it lies at the beginning
     * @param guestAddress of the memory's first byte
     */
    static DriverSide of(boolean packed, MemorySegment memory, long guestAddress, int size, boolean eventIdx) {
        if (packed) {
            PackedRingLayout layout = PackedRingLayout.contiguous(guestAddress, size);
            return new DriverSide(layout, new PackedDriverRing(memory, guestAddress, layout, eventIdx));
        }
        SplitRingLayout layout = SplitRingLayout.contiguous(guestAddress, size);
        return new DriverSide(layout, new SplitDriverRing(memory, guestAddress, layout, eventIdx));
    }

    QueueAreas areas() {
        return new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
    }
}
