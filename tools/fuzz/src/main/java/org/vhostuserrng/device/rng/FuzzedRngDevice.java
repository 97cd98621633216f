package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.EventLoopSources;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** The device under test and the memory of its guest, all zeros at first. One at a time: the memory is always the same. */
final class FuzzedRngDevice {
    private static final MemorySegment MEMORY =
            Arena.ofAuto().allocate(ReferenceGuestMemory.BYTES, ReferenceGuestMemory.REGION_BYTES);

    /** As in the daemon one is shared by all the guests of a loop, and others have something to do as well. */
    private static final SharedRequestScratch WORKSPACE = new SharedRequestScratch();

    static {
        WORKSPACE.join();
    }

    final MemorySegment memory = MEMORY.fill((byte) 0);
    final FuzzSequenceSource source = new FuzzSequenceSource();
    final UsedBufferNotifier call = new UsedBufferNotifier();
    final VirtioRngDevice device = new VirtioRngDevice(
            "fuzzed",
            new RngDeviceFeatures(true, true),
            new EventLoopSources(source, () -> {}, () -> 0),
            new GuestRateLimiter(RateLimitConfig.NONE),
            new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).addFlow(DrrGuestConfig.DEFAULT),
            WORKSPACE);

    VirtqueueHandler start(FuzzedRingConfig shape) throws InvalidVirtqueueException {
        return start(shape, null);
    }

    /** Starts a virtqueue whose requests under way are recorded in {@code inflight}. */
    VirtqueueHandler start(FuzzedRingConfig shape, InflightArea inflight) throws InvalidVirtqueueException {
        try {
            return device.start(new VirtqueueConfig(
                    0,
                    shape.size(),
                    shape.base(),
                    shape.features(),
                    shape.areas(),
                    VirtqueueAddressSpace.physical(ReferenceGuestMemory.guestMemory(memory)),
                    call,
                    new VirtqueueDirtyLogger(new DirtyPageLog()),
                    () -> 0,
                    inflight));
        } catch (IotlbMissException impossible) {
            throw new AssertionError("nothing is translated", impossible);
        }
    }
}
