package org.vhostuserrng.device;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.frontend.PackedRingLayout;
import org.vhostuserrng.frontend.RingLayout;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.frontend.SplitRingLayout;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.MissingTranslationException;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;
import org.vhostuserrng.transport.WriteLog;

/**
 * A virtqueue of four descriptors that lies behind the place where the driver and the device have been, so that what they
 * asked of each other then says nothing of what comes: the device's side, which is under test, and the driver's, which
 * the front-end module has written independently. Each belongs to one thread.
 */
class SharedRing {
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
    private static final ThreadLocal<BufferChain> CHAIN = ThreadLocal.withInitial(BufferChain::new);

    final DriverRing driver;
    final Virtqueue device;

    /**
     * A virtqueue.
     *
     * @param request how far the next request is
     */
    SharedRing(boolean packed, boolean eventIdx, Request request) {
        // As in the long[] of a heap segment everything is aligned, it need not be native, and goes with the garbage.
        MemorySegment memory = MemorySegment.ofArray(new long[BYTES / Long.BYTES]);
        RingLayout layout;
        if (packed) {
            PackedRingLayout at = PackedRingLayout.contiguous(0, SIZE);
            layout = at;
            driver = new PackedDriverRing(memory, 0, at, eventIdx);
        } else {
            SplitRingLayout at = SplitRingLayout.contiguous(0, SIZE);
            layout = at;
            driver = new SplitDriverRing(memory, 0, at, eventIdx);
        }
        long features = Virtio.VIRTIO_F_VERSION_1
                | (packed ? Virtio.VIRTIO_F_RING_PACKED : 0)
                | (eventIdx ? Virtio.VIRTIO_F_EVENT_IDX : 0);
        device = start(memory, layout, features);
        device.suppressKicks();
        driver.disableInterrupts();
        offer();
        serve();
        device.publish();
        driver.takeUsed();
        driver.kickWanted();
        if (request != Request.NONE) {
            offer();
        }
        if (request == Request.USED) {
            serve();
        }
    }

    private Virtqueue start(MemorySegment memory, RingLayout layout, long features) {
        GuestMemory guest = GuestMemory.of(List.of(new GuestMemory.Region(0, memory, false)));
        QueueAreas areas = new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
        try {
            return Virtqueue.of(new QueueSetup(
                    0,
                    SIZE,
                    driver.base(),
                    features,
                    areas,
                    QueueMemory.physical(guest),
                    new CallSignal(),
                    new WriteLog(new DirtyLog()),
                    () -> 0));
        } catch (InvalidQueueException | MissingTranslationException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Makes a request available. */
    final void offer() {
        driver.makeAvailable(driver.addWritable(BUFFER, LENGTH));
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
        BufferChain chain = CHAIN.get();
        if (device.collect(chain) != null) {
            return -1;
        }
        device.take();
        device.use(chain.bytes());
        return chain.bytes();
    }
}
