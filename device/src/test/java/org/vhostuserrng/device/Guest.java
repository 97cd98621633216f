package org.vhostuserrng.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.vhostuserrng.backends.Claim;
import org.vhostuserrng.backends.FairShare;
import org.vhostuserrng.backends.Limits;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.Share;
import org.vhostuserrng.backends.Sources;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.frontend.PackedRingLayout;
import org.vhostuserrng.frontend.RingLayout;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.frontend.SplitRingLayout;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.InflightArea;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.Iotlb;
import org.vhostuserrng.transport.MissingTranslationException;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;
import org.vhostuserrng.transport.WriteLog;

/**
 * A guest with two adjoining regions of memory and a virtqueue in the first, and the device that serves it. The driver's
 * side is the front-end module's, written independently.
 *
 * @param <R> of either format
 */
final class Guest<R extends DriverRing> {
    static final long BASE = 0x1_0000_0000L;
    static final long PAGE = 4096;
    static final long REGION_BYTES = 1 << 20;
    /** The regions touch here. */
    static final long SEAM = BASE + REGION_BYTES;

    static final long END = SEAM + REGION_BYTES;
    /** Room for buffers, behind the ring. */
    static final long BUFFERS = BASE + (1 << 19);

    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    final TaggedSource source = new TaggedSource();
    long now;
    final CallSignal call = new CallSignal();
    final MemorySegment first = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final MemorySegment second = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final R driver;
    final Workspace workspace = new Workspace();
    final RngDevice device;
    /** Null: the driver uses guest-physical addresses. */
    Iotlb iotlb;

    final DirtyLog log = new DirtyLog();
    final WriteLog writes = new WriteLog(log);
    /** Where requests under way are recorded; null for nowhere. */
    InflightArea inflight;

    private final RingLayout layout;
    private final long features;
    private QueueMemory memory;

    private Guest(RingLayout layout, long features, Quota quota, RingFactory<R> ring) {
        this.layout = layout;
        this.features = features;
        driver = ring.create(first, (features & Virtio.VIRTIO_F_EVENT_IDX) != 0);
        Sources sources = new Sources(source, () -> {}, () -> now);
        Share share = new FairShare(Limits.NONE, () -> {}).share(Claim.DEFAULT);
        device = new RngDevice("test", RngFeatures.DEFAULT, sources, quota, share, workspace);
    }

    private interface RingFactory<R> {
        R create(MemorySegment memory, boolean eventIndex);
    }

    static Guest<SplitDriverRing> split(int size, long features, Quota quota) {
        SplitRingLayout layout = SplitRingLayout.contiguous(BASE, size);
        return new Guest<>(
                layout,
                features | Virtio.VIRTIO_F_VERSION_1,
                quota,
                (memory, eventIndex) -> new SplitDriverRing(memory, BASE, layout, eventIndex));
    }

    static Guest<SplitDriverRing> split(int size, long features) {
        return split(size, features, unlimited());
    }

    static Guest<SplitDriverRing> split() {
        return split(8, 0);
    }

    static Guest<PackedDriverRing> packed(int size, long features, Quota quota) {
        PackedRingLayout layout = PackedRingLayout.contiguous(BASE, size);
        return new Guest<>(
                layout,
                features | Virtio.VIRTIO_F_VERSION_1 | Virtio.VIRTIO_F_RING_PACKED,
                quota,
                (memory, eventIndex) -> new PackedDriverRing(memory, BASE, layout, eventIndex));
    }

    static Guest<PackedDriverRing> packed(int size, long features) {
        return packed(size, features, unlimited());
    }

    /** Of either format. */
    static Guest<? extends DriverRing> of(boolean packed, int size, long features) {
        return packed ? packed(size, features) : split(size, features);
    }

    private static Quota unlimited() {
        return new Quota(Limits.NONE);
    }

    DeviceQueue start() {
        return start(driver.base());
    }

    DeviceQueue start(int base) {
        try {
            return device.start(setup(base));
        } catch (InvalidQueueException | MissingTranslationException notStarted) {
            throw new AssertionError(notStarted);
        }
    }

    /** The ring alone, without the device. */
    PackedVirtqueue packedVirtqueue() {
        try {
            return PackedVirtqueue.of(setup(driver.base()));
        } catch (InvalidQueueException | MissingTranslationException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /** What the present queue uses. */
    QueueMemory memory() {
        return memory;
    }

    /** Puts the device behind an IOMMU that maps all pages of the guest to themselves, each by an entry of its own. */
    Guest<R> behindIommu() {
        iotlb = new Iotlb();
        for (long page = BASE; page < END; page += PAGE) {
            map(page, page, Iotlb.READ | Iotlb.WRITE);
        }
        return this;
    }

    /** Has the device share its loop with a ring that may have something to do as well. */
    Guest<R> besideAnother() {
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

    QueueSetup setup(int base) {
        GuestMemory guestMemory = GuestMemory.of(
                List.of(new GuestMemory.Region(BASE, first, false), new GuestMemory.Region(SEAM, second, false)));
        memory = iotlb == null ? QueueMemory.physical(guestMemory) : QueueMemory.translated(guestMemory, iotlb);
        QueueAreas areas = new QueueAreas(layout.descriptorArea(), layout.driverArea(), layout.deviceArea());
        return new QueueSetup(0, driver.queueSize(), base, features, areas, memory, call, writes, () -> now, inflight);
    }

    /** Has requests under way recorded, as for a virtqueue of {@code queueSize}. */
    void recordInflight(int queueSize) {
        long bytes = device.inflightBytes(features, queueSize);
        inflight = new InflightArea(Arena.ofAuto().allocate(bytes, 64), queueSize);
    }

    /** Begins anew anywhere in the ring. */
    void resetRandomly(Random random) {
        if (driver instanceof SplitDriverRing split) {
            split.reset(random.nextInt(0x10000));
        } else if (driver instanceof PackedDriverRing packed) {
            packed.reset(random.nextInt(packed.queueSize()) | (random.nextBoolean() ? 0x8000 : 0));
        }
    }

    RingLayout layout() {
        return layout;
    }

    /** Makes a buffer available, and returns its ID. */
    int offer(BufferElement... chain) {
        int id = driver.add(chain);
        driver.makeAvailable(id);
        return id;
    }

    int offer(long address, int length) {
        return offer(BufferElement.writable(address, length));
    }

    /** Takes all that was used, and returns how many buffers that was. */
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

    /** What the source gives out from a position on. */
    static byte[] tagged(long from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = TaggedSource.byteAt(from + i);
        }
        return bytes;
    }
}
