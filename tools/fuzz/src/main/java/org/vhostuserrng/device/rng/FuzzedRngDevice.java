package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InflightTrackerFactory;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The device under test and the memory of its guest, which is initially zero. All instances share the memory, so that a
 * target can use only one instance at a time.
 */
final class FuzzedRngDevice {
    private static final MemorySegment MEMORY =
            Arena.ofAuto().allocate(ReferenceGuestMemory.BYTES, ReferenceGuestMemory.REGION_BYTES);

    /**
     * Counts one virtqueue more than exists. The device then limits the work per drain as it does if other guests share
     * its event loop.
     */
    private static final RequestScratchMemory SCRATCH = new RequestScratchMemory();

    static {
        SCRATCH.addQueue();
    }

    final MemorySegment memory = MEMORY.fill((byte) 0);
    final SequenceEntropySource source = new SequenceEntropySource();
    final UsedBufferNotifier notifier = new UsedBufferNotifier();
    final VirtioRngDevice device = new VirtioRngDevice(
            "fuzzed",
            new RngDeviceFeatures(true, true),
            new SourceRegistry(source, () -> {}, () -> 0),
            new GuestRateLimiter(RateLimitConfig.NONE),
            new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).addFlow(DrrGuestConfig.DEFAULT),
            SCRATCH);

    VirtqueueHandler start(FuzzedRingConfig config) throws InvalidVirtqueueException {
        return start(config, null);
    }

    private static VirtqueuePosition position(FuzzedRingConfig config) {
        int base = config.base();
        if (!config.packed()) {
            return new VirtqueuePosition(base, base);
        }
        int avail = base & 0xffff;
        return new VirtqueuePosition(avail, base >>> 16 == 0 ? avail : base >>> 16);
    }

    /** Encodes the position of a stopped virtqueue as a value for SET_VRING_BASE. */
    static int base(FuzzedRingConfig config, VirtqueuePosition position) {
        return config.packed() ? position.nextUsed() << 16 | position.nextAvail() : position.nextAvail();
    }

    /** Starts a virtqueue, which records in-flight requests in {@code inflight} unless {@code inflight} is null. */
    VirtqueueHandler start(FuzzedRingConfig config, InflightTrackerFactory inflight) throws InvalidVirtqueueException {
        try {
            return device.start(new VirtqueueConfig(
                    0,
                    config.size(),
                    position(config),
                    config.features(),
                    config.areas(),
                    VirtqueueAddressSpace.physical(ReferenceGuestMemory.guestMemory(memory)),
                    notifier,
                    new VirtqueueDirtyLogger(new DirtyPageLog()),
                    () -> 0,
                    inflight,
                    null));
        } catch (MemoryNotReadyException impossible) {
            throw new AssertionError("there is no IOMMU", impossible);
        }
    }
}
