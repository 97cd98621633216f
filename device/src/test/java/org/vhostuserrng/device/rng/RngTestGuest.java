package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.vhostuserrng.backends.DeficitRoundRobin;
import org.vhostuserrng.backends.DrrGuestConfig;
import org.vhostuserrng.backends.DrrGuestFlow;
import org.vhostuserrng.backends.EventLoopSources;
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.backends.RateLimitConfig;
import org.vhostuserrng.device.virtqueue.PackedVirtqueue;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
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
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A guest with two adjoining regions of memory and a virtqueue in the first, and the device that serves it. The driver's
 * side is the front-end module's, written independently.
 *
 * @param <R> of either format
 */
final class RngTestGuest<R extends DriverRing> {
    static final long BASE = 0x1_0000_0000L;
    static final long PAGE = 4096;
    static final long REGION_BYTES = 1 << 20;
    /** The regions touch here. */
    static final long SEAM = BASE + REGION_BYTES;

    static final long END = SEAM + REGION_BYTES;
    /** Room for buffers, behind the ring. */
    static final long BUFFERS = BASE + (1 << 19);

    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    final SequenceEntropySource source = new SequenceEntropySource();
    long now;
    final UsedBufferNotifier call = new UsedBufferNotifier();
    final MemorySegment first = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final MemorySegment second = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final R driver;
    final SharedRequestScratch workspace = new SharedRequestScratch();
    final VirtioRngDevice device;
    /** Null: the driver uses guest-physical addresses. */
    Iotlb iotlb;

    final DirtyPageLog log = new DirtyPageLog();
    final VirtqueueDirtyLogger writes = new VirtqueueDirtyLogger(log);
    /** Where requests under way are recorded; null for nowhere. */
    InflightArea inflight;

    private final DriverRingAddresses layout;
    private final long features;
    private VirtqueueAddressSpace memory;

    private RngTestGuest(DriverRingAddresses layout, long features, GuestRateLimiter quota, RingFactory<R> ring) {
        this.layout = layout;
        this.features = features;
        driver = ring.create(first, (features & VirtioSpec.VIRTIO_F_EVENT_IDX) != 0);
        EventLoopSources sources = new EventLoopSources(source, () -> {}, () -> now);
        DrrGuestFlow share = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).share(DrrGuestConfig.DEFAULT);
        device = new VirtioRngDevice("test", RngDeviceFeatures.DEFAULT, sources, quota, share, workspace);
    }

    private interface RingFactory<R> {
        R create(MemorySegment memory, boolean eventIndex);
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features, GuestRateLimiter quota) {
        DriverSplitRingAddresses layout = DriverSplitRingAddresses.contiguous(BASE, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioSpec.VIRTIO_F_VERSION_1,
                quota,
                (memory, eventIndex) -> new DriverSplitRing(memory, BASE, layout, eventIndex));
    }

    static RngTestGuest<DriverSplitRing> split(int size, long features) {
        return split(size, features, unlimited());
    }

    static RngTestGuest<DriverSplitRing> split() {
        return split(8, 0);
    }

    static RngTestGuest<DriverPackedRing> packed(int size, long features, GuestRateLimiter quota) {
        DriverPackedRingAddresses layout = DriverPackedRingAddresses.contiguous(BASE, size);
        return new RngTestGuest<>(
                layout,
                features | VirtioSpec.VIRTIO_F_VERSION_1 | VirtioSpec.VIRTIO_F_RING_PACKED,
                quota,
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
        return start(driver.vringBase());
    }

    VirtqueueHandler start(int base) {
        try {
            return device.start(setup(base));
        } catch (InvalidVirtqueueException | IotlbMissException notStarted) {
            throw new AssertionError(notStarted);
        }
    }

    /** The ring alone, without the device. */
    PackedVirtqueue packedVirtqueue() {
        try {
            return PackedVirtqueue.of(setup(driver.vringBase()));
        } catch (InvalidVirtqueueException | IotlbMissException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /** What the present queue uses. */
    VirtqueueAddressSpace memory() {
        return memory;
    }

    /** Puts the device behind an IOMMU that maps all pages of the guest to themselves, each by an entry of its own. */
    RngTestGuest<R> behindIommu() {
        iotlb = new Iotlb();
        for (long page = BASE; page < END; page += PAGE) {
            map(page, page, Iotlb.READ | Iotlb.WRITE);
        }
        return this;
    }

    /** Has the device share its loop with a ring that may have something to do as well. */
    RngTestGuest<R> besideAnother() {
        workspace.join();
        return this;
    }

    /** Has the first descriptor of the ring refer to a buffer elsewhere. */
    void moveFirstBuffer(long address) {
        // §2.7.5, §2.8.13: both formats begin with le64 addr.
        first.set(LE64, layout.descriptorArea() - BASE, address);
    }

    /** Maps a page. */
    void map(long iova, long guestAddress, int access) {
        iotlb.map(iova, iova + PAGE - 1, guestAddress, access);
    }

    void unmap(long iova) {
        iotlb.unmap(iova, iova + PAGE - 1);
    }

    VirtqueueConfig setup(int base) {
        GuestMemory guestMemory = GuestMemory.of(
                List.of(new GuestMemory.Region(BASE, first, false), new GuestMemory.Region(SEAM, second, false)));
        memory = iotlb == null
                ? VirtqueueAddressSpace.physical(guestMemory)
                : VirtqueueAddressSpace.translated(guestMemory, iotlb);
        QueueAreas areas = new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
        return new VirtqueueConfig(
                0, driver.queueSize(), base, features, areas, memory, call, writes, () -> now, inflight);
    }

    /** Has requests under way recorded, as for a virtqueue of {@code queueSize}. */
    void recordInflight(int queueSize) {
        long bytes = device.inflightBytes(features, queueSize);
        inflight = new InflightArea(Arena.ofAuto().allocate(bytes, 64), queueSize);
    }

    /** Begins anew anywhere in the ring. */
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
        int id = driver.addBuffer(chain);
        driver.makeAvailable(id);
        return id;
    }

    int offer(long address, int length) {
        return offer(DriverBufferElement.writable(address, length));
    }

    /** Takes all that was used, and returns how many buffers that was. */
    int takeAll() {
        int taken = 0;
        while (driver.popUsed()) {
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

    /** What the source gives out from a position on. */
    static byte[] tagged(long from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = SequenceEntropySource.byteAt(from + i);
        }
        return bytes;
    }
}
