package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.EventLoopSources;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioSpec;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * A guest with two adjacent regions of memory and a virtqueue in the first one, and the device that serves it. The
 * driver is that of the front-end module, an independent implementation.
 *
 * @param <R> the driver's ring, of either format
 */
final class RngTestGuest<R extends DriverRing> {
    static final long BASE = 0x1_0000_0000L;
    static final long PAGE = 4096;
    static final long REGION_BYTES = 1 << 20;
    /** The boundary of the two regions. */
    static final long SEAM = BASE + REGION_BYTES;

    static final long END = SEAM + REGION_BYTES;
    /** Memory for buffers, after the ring. */
    static final long BUFFERS = BASE + (1 << 19);

    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    final SequenceEntropySource source = new SequenceEntropySource();
    long now;
    final UsedBufferNotifier notifier = new UsedBufferNotifier();
    final MemorySegment first = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final MemorySegment second = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final R driver;
    final SharedRequestScratch scratch = new SharedRequestScratch();
    final VirtioRngDevice device;
    /** Null if the driver uses guest-physical addresses. */
    Iotlb iotlb;

    final DirtyPageLog log = new DirtyPageLog();
    final VirtqueueDirtyLogger dirtyLogger = new VirtqueueDirtyLogger(log);
    /** The record of in-flight requests; null for none. */
    InflightRegion inflight;

    private final DriverRingAddresses layout;
    private final long features;
    private VirtqueueAddressSpace memory;

    private RngTestGuest(DriverRingAddresses layout, long features, GuestRateLimiter rateLimiter, RingFactory<R> ring) {
        this.layout = layout;
        this.features = features;
        driver = ring.create(first, (features & VirtioSpec.VIRTIO_F_EVENT_IDX) != 0);
        EventLoopSources sources = new EventLoopSources(source, () -> {}, () -> now);
        DrrGuestFlow flow = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).addFlow(DrrGuestConfig.DEFAULT);
        device = new VirtioRngDevice("test", RngDeviceFeatures.DEFAULT, sources, rateLimiter, flow, scratch);
    }

    private interface RingFactory<R> {
        R create(MemorySegment memory, boolean eventIndex);
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features, GuestRateLimiter rateLimiter) {
        DriverSplitRingAddresses layout = DriverSplitRingAddresses.contiguous(BASE, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioSpec.VIRTIO_F_VERSION_1,
                rateLimiter,
                (memory, eventIndex) -> new DriverSplitRing(memory, BASE, layout, eventIndex));
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features) {
        return split(size, features, unlimited());
    }

    static RngTestGuest<DriverSplitRing> split() {
        return split(8, 0);
    }

    static RngTestGuest<DriverPackedRing> packed(int size, long features, GuestRateLimiter rateLimiter) {
        DriverPackedRingAddresses layout = DriverPackedRingAddresses.contiguous(BASE, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioSpec.VIRTIO_F_VERSION_1 | VirtioSpec.VIRTIO_F_RING_PACKED,
                rateLimiter,
                (memory, eventIndex) -> new DriverPackedRing(memory, BASE, layout, eventIndex));
    }

    static RngTestGuest<DriverPackedRing> packed(int size, long features) {
        return packed(size, features, unlimited());
    }

    /** Of either format. */
    static RngTestGuest<? extends DriverRing> of(boolean packed, int size, long features) {
        return packed ? packed(size, features) : split(size, features);
    }

    private static GuestRateLimiter unlimited() {
        return new GuestRateLimiter(RateLimitConfig.NONE);
    }

    VirtqueueHandler start() {
        return start(driver.base());
    }

    VirtqueueHandler start(int base) {
        try {
            return device.start(config(base));
        } catch (InvalidVirtqueueException | IotlbMissException notStarted) {
            throw new AssertionError(notStarted);
        }
    }

    /** Stops a virtqueue. Returns its position, as a front-end sees it. */
    int stop(VirtqueueHandler queue) {
        return base(queue.stop());
    }

    /** The virtqueue alone, without the device. */
    Virtqueue virtqueue() {
        try {
            return Virtqueue.start(config(driver.base()));
        } catch (InvalidVirtqueueException | IotlbMissException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /**
     * Decodes the position of a driver's ring, which is a vhost-user base: of a packed ring both halves, or one for
     * both.
     */
    VirtqueuePosition position(int base) {
        if (!isPacked()) {
            return new VirtqueuePosition(base, base);
        }
        int avail = base & 0xffff;
        return new VirtqueuePosition(avail, base >>> 16 == 0 ? avail : base >>> 16);
    }

    int base(VirtqueuePosition position) {
        return isPacked() ? position.nextUsed() << 16 | position.nextAvail() : position.nextAvail();
    }

    private boolean isPacked() {
        return (features & VirtioSpec.VIRTIO_F_RING_PACKED) != 0;
    }

    /** The address space of the present queue. */
    VirtqueueAddressSpace memory() {
        return memory;
    }

    /** Puts the device behind an IOMMU that maps each page of the guest to itself, with one entry per page. */
    RngTestGuest<R> behindIommu() {
        iotlb = new Iotlb();
        for (long page = BASE; page < END; page += PAGE) {
            map(page, page, Iotlb.READ | Iotlb.WRITE);
        }
        return this;
    }

    /** Adds another active virtqueue to the loop. */
    RngTestGuest<R> besideAnother() {
        scratch.addQueue();
        return this;
    }

    /** Changes the buffer address of the first descriptor of the ring. */
    void moveFirstBuffer(long address) {
        // VIRTIO 1.3 §2.7.5, §2.8.13: both formats begin with le64 addr.
        first.set(LE64, layout.descriptorArea() - BASE, address);
    }

    /** Maps a page. */
    void map(long iova, long guestAddress, int access) {
        iotlb.map(iova, iova + PAGE - 1, guestAddress, access);
    }

    void unmap(long iova) {
        iotlb.unmap(iova, iova + PAGE - 1);
    }

    VirtqueueConfig config(int base) {
        GuestMemory guestMemory = GuestMemory.of(
                List.of(new GuestMemory.Region(BASE, first, false), new GuestMemory.Region(SEAM, second, false)));
        memory = iotlb == null
                ? VirtqueueAddressSpace.physical(guestMemory)
                : VirtqueueAddressSpace.translated(guestMemory, iotlb);
        VirtqueueConfig.Areas areas =
                new VirtqueueConfig.Areas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
        return new VirtqueueConfig(
                0,
                driver.queueSize(),
                position(base),
                features,
                areas,
                memory,
                notifier,
                dirtyLogger,
                () -> now,
                inflight);
    }

    /** Records in-flight requests from the next start on, for at most {@code queueSize} descriptors. */
    void recordInflight(int queueSize) {
        long bytes = InflightRegion.bytesFor(features, queueSize);
        inflight = new InflightRegion(Arena.ofAuto().allocate(bytes, 64), queueSize);
    }

    /** Resets the driver to a random position in the ring. */
    void resetRandomly(Random random) {
        if (driver instanceof DriverSplitRing split) {
            split.reset(random.nextInt(0x10000));
        } else if (driver instanceof DriverPackedRing packed) {
            packed.reset(random.nextInt(packed.queueSize()) | (random.nextBoolean() ? 0x8000 : 0));
        }
    }

    DriverRingAddresses layout() {
        return layout;
    }

    /** Makes a buffer available, and returns its ID. */
    int offer(DriverBufferElement... chain) {
        int id = driver.add(chain);
        driver.makeAvailable(id);
        return id;
    }

    int offer(long address, int length) {
        return offer(DriverBufferElement.writable(address, length));
    }

    /** Takes all used buffers. Returns their number. */
    int takeAll() {
        int taken = 0;
        while (driver.takeUsed()) {
            taken++;
        }
        return taken;
    }

    byte byteAt(long address) {
        return address < SEAM
                ? first.get(ValueLayout.JAVA_BYTE, address - BASE)
                : second.get(ValueLayout.JAVA_BYTE, address - SEAM);
    }

    byte[] bytesAt(long address, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = byteAt(address + i);
        }
        return bytes;
    }

    /** The bytes of the source from a position on. */
    static byte[] sequence(long from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = SequenceEntropySource.byteAt(from + i);
        }
        return bytes;
    }
}
