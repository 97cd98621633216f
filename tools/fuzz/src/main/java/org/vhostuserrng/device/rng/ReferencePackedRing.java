package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtqueueConstants.RING_EVENT_FLAGS_DESC;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.RING_EVENT_FLAGS_DISABLE;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_AVAIL;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_USED;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_SIZE;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.frontend.DriverPackedRingAddresses;

/** The device's side of a packed virtqueue (VIRTIO 1.3 §2.8). */
final class ReferencePackedRing extends ReferenceDeviceRing {
    private static final int LEN = 8;
    private static final int ID = 12;
    private static final int FLAGS = 14;
    private static final int INDEX = 0x7fff;
    private static final int WRAP = 0x8000;

    /** A ring position: descriptor index and wrap counter (§2.8.1). */
    private record RingPosition(int index, boolean wrap) {
        static RingPosition of(int offWrap) {
            return new RingPosition(offWrap & INDEX, (offWrap & WRAP) != 0);
        }

        /**
         * Returns the position as an event suppression structure encodes it (§2.8.14): desc_event_off, desc_event_wrap.
         */
        int offWrap() {
            return index | (wrap ? WRAP : 0);
        }

        RingPosition next(int size) {
            return index + 1 < size ? new RingPosition(index + 1, wrap) : new RingPosition(0, !wrap);
        }

        RingPosition plus(int descriptors, int size) {
            RingPosition position = this;
            for (int i = 0; i < descriptors; i++) {
                position = position.next(size);
            }
            return position;
        }

        /**
         * Returns the number of descriptors from this position forward to another one. In a valid ring it is at most
         * the queue size.
         */
        int distance(RingPosition other, int size) {
            int distance = 0;
            for (RingPosition position = this; !position.equals(other); position = position.next(size)) {
                distance++;
            }
            return distance;
        }
    }

    /** A used descriptor that the driver cannot see yet. */
    private record UsedDescriptor(RingPosition position, int id, int written) {}

    private final List<UsedDescriptor> unpublished = new ArrayList<>();
    private final int ring;
    private final int driverEvent;
    private final int deviceEvent;
    private RingPosition nextAvail;
    private RingPosition nextUsed;
    private RingPosition publishedUsed;
    private int id;
    private int length;
    private int eventWritten;
    private boolean eventWrittenOnce;

    private ReferencePackedRing(ReferenceGuestMemory memory, FuzzedRingConfig config) {
        super(memory, config);
        ring = ReferenceGuestMemory.offsetOf(config.areas().descriptorArea());
        driverEvent = ReferenceGuestMemory.offsetOf(config.areas().driverArea());
        deviceEvent = ReferenceGuestMemory.offsetOf(config.areas().deviceArea());
        nextAvail = RingPosition.of(config.base());
        nextUsed = used(config.base());
        publishedUsed = nextUsed;
    }

    private static RingPosition used(int base) {
        return RingPosition.of(base >>> 16 == 0 ? base : base >>> 16);
    }

    /** Creates a ring; returns null if the configuration is invalid. */
    static ReferenceDeviceRing of(ReferenceGuestMemory memory, FuzzedRingConfig config) {
        int size = config.size();
        long descriptors = config.areas().descriptorArea();
        RingPosition avail = RingPosition.of(config.base());
        RingPosition used = used(config.base());
        boolean valid = descriptors % 16 == 0
                && ReferenceGuestMemory.contains(descriptors, DriverPackedRingAddresses.descriptorRingSize(size))
                && isEventArea(config.areas().driverArea())
                && isEventArea(config.areas().deviceArea())
                && avail.index() < size
                && used.index() < size
                && used.distance(avail, size) <= size;
        return valid ? new ReferencePackedRing(memory, config) : null;
    }

    private static boolean isEventArea(long address) {
        return address % 4 == 0 && ReferenceGuestMemory.contains(address, 4);
    }

    private int offsetOf(RingPosition position) {
        return ring + VIRTQ_DESC_SIZE * position.index();
    }

    private boolean isAvailable(RingPosition position) {
        int flags = memory.u16(offsetOf(position) + FLAGS);
        return (flags & VIRTQ_DESC_F_AVAIL) != 0 == position.wrap()
                && (flags & VIRTQ_DESC_F_USED) != 0 != position.wrap();
    }

    /**
     * Maximum number of available descriptors: the queue size minus those that were popped and not published as used.
     */
    private int maxAvailable() {
        return size - publishedUsed.distance(nextAvail, size);
    }

    @Override
    boolean hasNext() {
        return maxAvailable() > 0 && isAvailable(nextAvail);
    }

    @Override
    ReferenceBufferChain peek() {
        ReferenceBufferChain chain = new ReferenceBufferChain();
        RingPosition position = nextAvail;
        length = 0;
        boolean hasMore = true;
        while (hasMore) {
            int descriptor = offsetOf(position);
            int flags = memory.u16(descriptor + FLAGS);
            length++;
            hasMore = (flags & VIRTQ_DESC_F_NEXT) != 0;
            boolean wellFormed = (flags & VIRTQ_DESC_F_INDIRECT) != 0
                    ? indirect && !hasMore && length == 1 && addTable(descriptor, chain)
                    : chain.add(memory.u64(descriptor), memory.u32(descriptor + LEN), flags);
            id = memory.u16(descriptor + ID);
            position = position.next(size);
            if (!wellFormed || (hasMore && (length == maxAvailable() || !isAvailable(position)))) {
                return null;
            }
        }
        return chain.bytes() > 0 ? chain : null;
    }

    private boolean addTable(int descriptor, ReferenceBufferChain chain) {
        long address = memory.u64(descriptor);
        long bytes = Integer.toUnsignedLong(memory.u32(descriptor + LEN));
        if (bytes == 0 || bytes % VIRTQ_DESC_SIZE != 0 || !ReferenceGuestMemory.contains(address, bytes)) {
            return false;
        }
        int table = ReferenceGuestMemory.offsetOf(address);
        for (int at = table; at < table + bytes; at += VIRTQ_DESC_SIZE) {
            if (!chain.add(memory.u64(at), memory.u32(at + LEN), memory.u16(at + FLAGS))) {
                return false;
            }
        }
        return true;
    }

    @Override
    void addUsed(int written) {
        unpublished.add(new UsedDescriptor(nextUsed, id, written));
        nextUsed = nextUsed.plus(length, size);
        nextAvail = nextAvail.plus(length, size);
    }

    private static int usedFlags(RingPosition position) {
        return VIRTQ_DESC_F_WRITE | (position.wrap() ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0);
    }

    private void write(UsedDescriptor used) {
        int descriptor = offsetOf(used.position());
        memory.set16(descriptor + ID, used.id());
        memory.set32(descriptor + LEN, used.written());
        memory.set16(descriptor + FLAGS, usedFlags(used.position()));
    }

    @Override
    boolean publishUsed() {
        RingPosition first = publishedUsed;
        publishedUsed = nextUsed;
        if (first.equals(nextUsed)) {
            return false;
        }
        // The first descriptor is written last, because its flags make all used descriptors visible to the driver.
        unpublished.reversed().forEach(this::write);
        unpublished.clear();
        int event = memory.u32(driverEvent);
        int flags = event >>> 16 & 3;
        if (flags != RING_EVENT_FLAGS_DESC || !eventIdx || (event & INDEX) >= size) {
            return flags != RING_EVENT_FLAGS_DISABLE;
        }
        return first.distance(RingPosition.of(event & (INDEX | WRAP)), size) < first.distance(nextUsed, size);
    }

    @Override
    void enableNotification() {
        writeEvent(eventIdx ? RING_EVENT_FLAGS_DESC << 16 | nextAvail.offWrap() : 0);
    }

    @Override
    void disableNotification() {
        writeEvent(RING_EVENT_FLAGS_DISABLE << 16);
    }

    private void writeEvent(int event) {
        if (!eventWrittenOnce || event != eventWritten) {
            memory.set32(deviceEvent, event);
            eventWritten = event;
            eventWrittenOnce = true;
        }
    }

    @Override
    int base() {
        return nextUsed.offWrap() << 16 | nextAvail.offWrap();
    }
}
