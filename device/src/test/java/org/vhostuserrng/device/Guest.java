package org.vhostuserrng.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.SharedSource;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.frontend.SplitRingLayout;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.QueueSetup.QueueAreas;
import org.vhostuserrng.transport.WriteLog;

/**
 * A guest with two adjoining regions of memory and a split virtqueue in the first, and the device that serves it. The
 * driver's side is the front-end module's, written independently.
 */
final class Guest {
    static final long BASE = 0x1_0000_0000L;
    static final long REGION_BYTES = 1 << 20;
    /** The regions touch here. */
    static final long SEAM = BASE + REGION_BYTES;

    static final long END = SEAM + REGION_BYTES;
    /** Room for buffers, behind the ring. */
    static final long BUFFERS = BASE + (1 << 19);

    final TaggedSource source = new TaggedSource();
    long now;
    final CallSignal call = new CallSignal();
    final MemorySegment first = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final MemorySegment second = Arena.ofAuto().allocate(REGION_BYTES, 4096);
    final SplitDriverRing driver;
    final RngDevice device;
    private final SplitRingLayout layout;
    private final long features;

    Guest(int size, long features) {
        this(size, features, new Quota(Quota.UNLIMITED, 1000));
    }

    Guest(int size, long features, Quota quota) {
        this.features = features;
        layout = SplitRingLayout.contiguous(BASE, size);
        driver = new SplitDriverRing(first, BASE, layout, (features & Virtio.VIRTIO_F_EVENT_IDX) != 0);
        device = new RngDevice("test", RngFeatures.DEFAULT, new SharedSource(source, () -> {}), quota, new Workspace());
    }

    static Guest plain() {
        return new Guest(8, Virtio.VIRTIO_F_VERSION_1);
    }

    DeviceQueue start(int base) {
        GuestMemory memory = GuestMemory.of(
                List.of(new GuestMemory.Region(BASE, first, false), new GuestMemory.Region(SEAM, second, false)));
        QueueAreas areas = new QueueAreas(layout.descriptorTable(), layout.availableRing(), layout.usedRing());
        try {
            return device.start(new QueueSetup(
                    0,
                    driver.queueSize(),
                    base,
                    features,
                    areas,
                    memory,
                    call,
                    new WriteLog(new DirtyLog()),
                    () -> now));
        } catch (InvalidQueueException invalid) {
            throw new AssertionError(invalid);
        }
    }

    /** Makes a chain of writable buffers available, and returns its head. */
    int offer(BufferElement... chain) {
        int head = driver.add(chain);
        driver.makeAvailable(head);
        return head;
    }

    int offer(long address, int length) {
        return offer(BufferElement.writable(address, length));
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
