package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;

/**
 * A virtqueue of four descriptors that lies behind the place where the driver and the device have been, so that what they
 * asked of each other then says nothing of what comes: the device's side, which is under test, and the driver's, which
 * the front-end module has written independently. Each belongs to one thread.
 */
class RingStressState {
    /** What there is before the threads begin. */
    enum Request {
        NONE,
        AVAILABLE,
        /** Not visible to the driver yet. */
        USED
    }

    static final int LENGTH = 48;

    private static final int SIZE = 4;
    private static final int BYTES = 512;
    private static final long BUFFER = BYTES - LENGTH;

    /** Large; one for all the rings that a thread serves. */
    private static final ThreadLocal<ScatterGatherList> CHAIN = ThreadLocal.withInitial(ScatterGatherList::new);

    final DriverRing driver;
    final Virtqueue device;

    /**
     * A virtqueue.
     *
     * @param request how far the next request is
     */
    RingStressState(boolean packed, boolean eventIdx, Request request) {
        // As in the long[] of a heap segment everything is aligned, it need not be native, and goes with the garbage.
        MemorySegment memory = MemorySegment.ofArray(new long[BYTES / Long.BYTES]);
        DriverRingAddresses layout;
        if (packed) {
            DriverPackedRingAddresses at = DriverPackedRingAddresses.contiguous(0, SIZE);
            layout = at;
            driver = new DriverPackedRing(memory, 0, at, eventIdx);
        } else {
            DriverSplitRingAddresses at = DriverSplitRingAddresses.contiguous(0, SIZE);
            layout = at;
            driver = new DriverSplitRing(memory, 0, at, eventIdx);
        }
        long features = VirtioSpec.VIRTIO_F_VERSION_1
                | (packed ? VirtioSpec.VIRTIO_F_RING_PACKED : 0)
                | (eventIdx ? VirtioSpec.VIRTIO_F_EVENT_IDX : 0);
        device = start(memory, layout, features);
        device.suppressKicks();
        driver.disableInterrupts();
        offer();
        serve();
        device.publish();
        driver.popUsed();
        driver.needsKick();
        if (request != Request.NONE) {
            offer();
        }
        if (request == Request.USED) {
            serve();
        }
    }

    private Virtqueue start(MemorySegment memory, DriverRingAddresses layout, long features) {
        GuestMemory guest = GuestMemory.of(List.of(new GuestMemory.Region(0, memory, false)));
        QueueAreas areas = new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
        try {
            return Virtqueue.of(new VirtqueueConfig(
                    0,
                    SIZE,
                    driver.vringBase(),
                    features,
                    areas,
                    VirtqueueAddressSpace.physical(guest),
                    new UsedBufferNotifier(),
                    new VirtqueueDirtyLogger(new DirtyPageLog()),
                    () -> 0));
        } catch (InvalidVirtqueueException | IotlbMissException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Makes a request available. */
    final void offer() {
        driver.makeAvailable(driver.addWritableBuffer(BUFFER, LENGTH));
    }

    /**
     * Serves a request, as RngRing does, but for its bytes; not visible to the driver.
     *
     * @return how many bytes it had room for; 0 if there is none, −1 if it was malformed
     */
    final int serve() {
        if (!device.hasNext()) {
            return 0;
        }
        ScatterGatherList chain = CHAIN.get();
        if (device.collect(chain) != null) {
            return -1;
        }
        device.take();
        device.use(chain.bytes());
        return chain.bytes();
    }
}
