package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * A virtqueue with four descriptors. The device's side is under test; the driver's side is the independent
 * implementation of module {@code frontend}. One thread uses each side. One buffer was already used, with all
 * notifications disabled, so that no initially enabled notification applies to the next buffer.
 */
class RingStressState {
    /** The state of the next buffer before the actors run. */
    enum InitialState {
        /** The driver has not made the buffer available. */
        EMPTY,
        AVAILABLE,
        /** The device has added the buffer to the used ring but has not published it. */
        USED
    }

    static final int BUFFER_BYTES = 48;

    private static final int QUEUE_SIZE = 4;
    private static final int MEMORY_BYTES = 512;
    private static final long BUFFER_ADDRESS = MEMORY_BYTES - BUFFER_BYTES;

    /** One list per thread, which all its states use, because the list is large. */
    private static final ThreadLocal<ScatterGatherList> CHAIN = ThreadLocal.withInitial(ScatterGatherList::new);

    final DriverRing driver;
    final Virtqueue device;

    RingStressState(boolean packed, boolean eventIdx, InitialState state) {
        // Heap memory, because it is garbage-collected. A long[] has the alignment that the rings require.
        MemorySegment memory = MemorySegment.ofArray(new long[MEMORY_BYTES / Long.BYTES]);
        DriverRingAddresses addresses;
        if (packed) {
            DriverPackedRingAddresses ring = DriverPackedRingAddresses.contiguous(0, QUEUE_SIZE);
            addresses = ring;
            driver = new DriverPackedRing(memory, 0, ring, eventIdx);
        } else {
            DriverSplitRingAddresses ring = DriverSplitRingAddresses.contiguous(0, QUEUE_SIZE);
            addresses = ring;
            driver = new DriverSplitRing(memory, 0, ring, eventIdx);
        }
        long features = VirtioConstants.VIRTIO_F_VERSION_1
                | (packed ? VirtioConstants.VIRTIO_F_RING_PACKED : 0)
                | (eventIdx ? VirtioConstants.VIRTIO_F_EVENT_IDX : 0);
        device = start(packed, memory, addresses, features);
        device.disableNotifications();
        driver.disableInterrupts();
        driverAddBuffer();
        deviceServe();
        device.publishUsed();
        driver.popUsed();
        driver.needsKick();
        if (state != InitialState.EMPTY) {
            driverAddBuffer();
        }
        if (state == InitialState.USED) {
            deviceServe();
        }
    }

    private Virtqueue start(boolean packed, MemorySegment memory, DriverRingAddresses addresses, long features) {
        GuestMemory guest = GuestMemory.of(List.of(new GuestMemory.Region(0, memory, false)));
        VirtqueueConfig.Areas areas =
                new VirtqueueConfig.Areas(addresses.descriptorArea(), addresses.driverArea(), addresses.deviceArea());
        try {
            return Virtqueue.start(new VirtqueueConfig(
                    0,
                    QUEUE_SIZE,
                    position(packed),
                    features,
                    areas,
                    VirtqueueAddressSpace.physical(guest),
                    new UsedBufferNotifier(),
                    new VirtqueueDirtyLogger(new DirtyPageLog()),
                    () -> 0,
                    null,
                    null));
        } catch (InvalidVirtqueueException | MemoryNotReadyException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private VirtqueuePosition position(boolean packed) {
        int base = driver.vringBase();
        return packed ? new VirtqueuePosition(base & 0xffff, base >>> 16) : new VirtqueuePosition(base, base);
    }

    /** Makes the next buffer available. */
    final void driverAddBuffer() {
        driver.makeAvailable(driver.addWritableBuffer(BUFFER_ADDRESS, BUFFER_BYTES));
    }

    /**
     * Adds the next available buffer to the used ring without filling or publishing it.
     *
     * @return the length of the buffer; 0 if no buffer is available, −1 if the buffer is malformed
     */
    final int deviceServe() {
        if (!device.hasAvailable()) {
            return 0;
        }
        ScatterGatherList chain = CHAIN.get();
        if (device.peek(chain) != null) {
            return -1;
        }
        device.pop();
        device.addUsed(chain.bytes());
        return chain.bytes();
    }
}
