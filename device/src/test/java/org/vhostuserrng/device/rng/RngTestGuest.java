package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.SourceRegistry;
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
import org.vhostuserrng.transport.memory.InaccessibleRegion;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.sys.HugePages;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.inflight.PackedUsedPositionRecord;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * A guest and its entropy device. The guest has two adjacent memory regions and a virtqueue in the first one. Its
 * driver is the independent implementation of the front-end module.
 *
 * @param <R> the driver's side of the virtqueue
 */
final class RngTestGuest<R extends DriverRing> {
    /** Guest-physical address of the first region. */
    static final long FIRST_REGION = 0x1_0000_0000L;

    static final long PAGE = 4096;
    static final long REGION_BYTES = 1 << 20;
    /** Guest-physical address of the second region, where the first one ends. */
    static final long SECOND_REGION = FIRST_REGION + REGION_BYTES;
    /** End of guest memory. */
    static final long END = SECOND_REGION + REGION_BYTES;
    /** Guest-physical address of memory for buffers, after the virtqueue. */
    static final long BUFFERS = FIRST_REGION + (1 << 19);

    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    final SequenceEntropySource source = new SequenceEntropySource();
    /** The time that the device sees, in nanoseconds. */
    long now;

    final UsedBufferNotifier notifier = new UsedBufferNotifier();
    final MemorySegment firstRegion = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final MemorySegment secondRegion = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    /** Null if the region does not consist of huge pages. */
    HugePages firstRegionPages;

    /** Null if the region does not consist of huge pages. */
    HugePages secondRegionPages;

    final R driver;
    final RequestScratchMemory scratch = new RequestScratchMemory();
    final VirtioRngDevice device;
    /** The IOTLB; null without an IOMMU. */
    Iotlb iotlb;

    final DirtyPageLog log = new DirtyPageLog();
    final VirtqueueDirtyLogger dirtyLogger = new VirtqueueDirtyLogger(log);
    /** The record of in-flight requests; null if they are not recorded. */
    InflightRegion inflight;

    /** The record of the position; null if it is not recorded. */
    private MemorySegment recordedPosition;
    /** Whether the next start continues the recorded position. */
    boolean positionContinued;

    private final List<InaccessibleRegion> inaccessible = new ArrayList<>();
    private final DriverRingAddresses layout;
    private final long features;
    private VirtqueueAddressSpace memory;

    private RngTestGuest(DriverRingAddresses layout, long features, GuestRateLimiter rateLimiter, RingFactory<R> ring) {
        this.layout = layout;
        this.features = features;
        driver = ring.create(firstRegion, (features & VirtioConstants.VIRTIO_F_EVENT_IDX) != 0);
        SourceRegistry sources = new SourceRegistry(source, () -> {}, () -> now);
        DrrGuestFlow flow = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).addFlow(DrrGuestConfig.DEFAULT);
        device = new VirtioRngDevice("test", RngDeviceFeatures.DEFAULT, sources, rateLimiter, flow, scratch);
    }

    private interface RingFactory<R> {
        R create(MemorySegment memory, boolean eventIdx);
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features, GuestRateLimiter rateLimiter) {
        DriverSplitRingAddresses layout = DriverSplitRingAddresses.contiguous(FIRST_REGION, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioConstants.VIRTIO_F_VERSION_1,
                rateLimiter,
                (memory, eventIdx) -> new DriverSplitRing(memory, FIRST_REGION, layout, eventIdx));
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features) {
        return split(size, features, unlimited());
    }

    static RngTestGuest<DriverSplitRing> split() {
        return split(8, 0);
    }

    static RngTestGuest<DriverPackedRing> packed(int size, long features, GuestRateLimiter rateLimiter) {
        DriverPackedRingAddresses layout = DriverPackedRingAddresses.contiguous(FIRST_REGION, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioConstants.VIRTIO_F_VERSION_1 | VirtioConstants.VIRTIO_F_RING_PACKED,
                rateLimiter,
                (memory, eventIdx) -> new DriverPackedRing(memory, FIRST_REGION, layout, eventIdx));
    }

    static RngTestGuest<DriverPackedRing> packed(int size, long features) {
        return packed(size, features, unlimited());
    }

    /** Creates a guest with a virtqueue of the given format. */
    static RngTestGuest<? extends DriverRing> of(boolean packed, int size, long features) {
        return packed ? packed(size, features) : split(size, features);
    }

    private static GuestRateLimiter unlimited() {
        return new GuestRateLimiter(RateLimitConfig.NONE);
    }

    VirtqueueHandler start() {
        return start(driver.vringBase());
    }

    VirtqueueHandler start(int base) {
        try {
            return device.start(config(base));
        } catch (InvalidVirtqueueException | MemoryNotReadyException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /** Stops a virtqueue. Returns its position in the form of VHOST_USER_GET_VRING_BASE. */
    int stop(VirtqueueHandler queue) {
        return base(queue.stop());
    }

    /** Starts a virtqueue without the entropy device. */
    Virtqueue virtqueue() {
        try {
            return Virtqueue.start(config(driver.vringBase()));
        } catch (InvalidVirtqueueException | MemoryNotReadyException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /**
     * Decodes a vhost-user base. The base of a packed virtqueue contains the available position in its lower 16 bits
     * and the used position in its upper 16 bits. If the upper bits are 0, both positions are equal.
     */
    VirtqueuePosition position(int base) {
        if (!isPacked()) {
            return new VirtqueuePosition(base, base);
        }
        int avail = base & 0xffff;
        return new VirtqueuePosition(avail, base >>> 16 == 0 ? avail : base >>> 16);
    }

    /** Encodes a position as a vhost-user base. */
    int base(VirtqueuePosition position) {
        return isPacked() ? position.nextUsed() << 16 | position.nextAvail() : position.nextAvail();
    }

    private boolean isPacked() {
        return (features & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
    }

    /** Returns the address space of the virtqueue that was started last. */
    VirtqueueAddressSpace memory() {
        return memory;
    }

    /** Puts the device behind an IOMMU that maps each page of guest memory to itself, with one IOTLB entry per page. */
    RngTestGuest<R> behindIommu() {
        iotlb = new Iotlb();
        for (long page = FIRST_REGION; page < END; page += PAGE) {
            map(page, page, Iotlb.READ | Iotlb.WRITE);
        }
        return this;
    }

    /** Adds a memory region after {@link #END} that the device cannot access. Takes effect at the next start. */
    RngTestGuest<R> besideInaccessibleRegion() {
        inaccessible.add(new InaccessibleRegion(END, PAGE, "it is a pipe"));
        return this;
    }

    /** Adds another started virtqueue to the loop, which reduces the maximum work of a drain. */
    RngTestGuest<R> besideAnotherQueue() {
        scratch.addQueue();
        return this;
    }

    /** Changes the buffer address in the first descriptor of the ring. */
    void moveFirstBuffer(long address) {
        // VIRTIO 1.3 §2.7.5, §2.8.13: descriptors of both formats begin with le64 addr.
        firstRegion.set(LE64, layout.descriptorArea() - FIRST_REGION, address);
    }

    /** Adds an IOTLB entry for one page. */
    void map(long iova, long guestAddress, int access) {
        iotlb.map(iova, iova + PAGE - 1, guestAddress, access);
    }

    /** Invalidates the IOTLB entry of one page. */
    void unmap(long iova) {
        iotlb.unmap(iova, iova + PAGE - 1);
    }

    VirtqueueConfig config(int base) {
        GuestMemory guestMemory = GuestMemory.of(
                List.of(
                        new GuestMemory.Region(FIRST_REGION, firstRegion, false, firstRegionPages),
                        new GuestMemory.Region(SECOND_REGION, secondRegion, false, secondRegionPages)),
                inaccessible);
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
                inflight,
                recordedPosition == null ? null : new PackedUsedPositionRecord(recordedPosition, positionContinued));
    }

    /**
     * Records in-flight requests in a new region. Takes effect at the next start.
     *
     * @param queueSize the queue size of the region
     */
    void recordInflight(int queueSize) {
        long bytes = InflightRegion.bytesFor(features, queueSize);
        inflight = new InflightRegion(Arena.ofAuto().allocate(bytes, 64), queueSize);
    }

    /** Records the position of a packed virtqueue in new memory. Takes effect at the next start. */
    void recordPosition() {
        recordedPosition = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    }

    /** Resets the driver's side of the virtqueue to a random position. */
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

    /** Makes a buffer of one descriptor chain available. Returns its ID. */
    int makeAvailable(DriverBufferElement... chain) {
        int id = driver.addBuffer(chain);
        driver.makeAvailable(id);
        return id;
    }

    int makeAvailable(long address, int length) {
        return makeAvailable(DriverBufferElement.writable(address, length));
    }

    /** Takes all used buffers from the virtqueue. Returns their number. */
    int takeAllUsed() {
        int taken = 0;
        while (driver.popUsed()) {
            taken++;
        }
        return taken;
    }

    byte byteAt(long address) {
        return address < SECOND_REGION
                ? firstRegion.get(ValueLayout.JAVA_BYTE, address - FIRST_REGION)
                : secondRegion.get(ValueLayout.JAVA_BYTE, address - SECOND_REGION);
    }

    byte[] bytesAt(long address, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = byteAt(address + i);
        }
        return bytes;
    }

    /** Returns bytes of {@link SequenceEntropySource} from a position on. */
    static byte[] sequence(long from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = SequenceEntropySource.byteAt(from + i);
        }
        return bytes;
    }
}
