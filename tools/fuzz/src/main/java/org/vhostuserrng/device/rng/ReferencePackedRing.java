package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtioSpec.RING_EVENT_FLAGS_DESC;
import static org.vhostuserrng.frontend.DriverVirtioSpec.RING_EVENT_FLAGS_DISABLE;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_AVAIL;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_INDIRECT;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_NEXT;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_USED;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_WRITE;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_SIZE;

import org.vhostuserrng.frontend.DriverPackedRingAddresses;

/** VIRTIO 1.3 §2.8. */
final class ReferencePackedRing extends ReferenceDeviceRing {
    private static final int LEN = 8;
    private static final int ID = 12;
    private static final int FLAGS = 14;
    private static final int INDEX = 0x7fff;
    private static final int WRAP = 0x8000;

    /** An index and a wrap counter (§2.8.1). */
    private record Place(int index, boolean wrap) {
        static Place of(int desc) {
            return new Place(desc & INDEX, (desc & WRAP) != 0);
        }

        int desc() {
            return index | (wrap ? WRAP : 0);
        }

        Place next(int size) {
            return index + 1 < size ? new Place(index + 1, wrap) : new Place(0, !wrap);
        }

        Place plus(int descriptors, int size) {
            Place place = this;
            for (int i = 0; i < descriptors; i++) {
                place = place.next(size);
            }
            return place;
        }

        /** Descriptors from here to another place; more than the ring has if it does not lie ahead. */
        int distance(Place other, int size) {
            int distance = 0;
            for (Place place = this; !place.equals(other); place = place.next(size)) {
                distance++;
            }
            return distance;
        }
    }

    private final int ring;
    private final int driverEvent;
    private final int deviceEvent;
    private Place nextAvail;
    private Place nextUsed;
    private Place publishedUsed;
    private int id;
    private int length;
    private int eventWritten;
    private boolean eventKnown;

    private ReferencePackedRing(ReferenceGuestMemory memory, FuzzedRingConfig shape) {
        super(memory, shape);
        ring = ReferenceGuestMemory.at(shape.areas().descriptorArea());
        driverEvent = ReferenceGuestMemory.at(shape.areas().driverArea());
        deviceEvent = ReferenceGuestMemory.at(shape.areas().deviceArea());
        nextAvail = Place.of(shape.base());
        nextUsed = used(shape.base());
        publishedUsed = nextUsed;
    }

    private static Place used(int base) {
        return Place.of(base >>> 16 == 0 ? base : base >>> 16);
    }

    /** Null if that cannot be a virtqueue. */
    static ReferenceDeviceRing of(ReferenceGuestMemory memory, FuzzedRingConfig shape) {
        int size = shape.size();
        long descriptors = shape.areas().descriptorArea();
        Place avail = Place.of(shape.base());
        Place used = used(shape.base());
        boolean valid = descriptors % 16 == 0
                && ReferenceGuestMemory.holds(descriptors, DriverPackedRingAddresses.descriptorRingSize(size))
                && isEvent(shape.areas().driverArea())
                && isEvent(shape.areas().deviceArea())
                && avail.index() < size
                && used.index() < size
                && used.distance(avail, size) <= size;
        return valid ? new ReferencePackedRing(memory, shape) : null;
    }

    private static boolean isEvent(long address) {
        return address % 4 == 0 && ReferenceGuestMemory.holds(address, 4);
    }

    private int at(Place place) {
        return ring + VIRTQ_DESC_SIZE * place.index();
    }

    private boolean isAvailable(Place place) {
        int flags = memory.u16(at(place) + FLAGS);
        return (flags & VIRTQ_DESC_F_AVAIL) != 0 == place.wrap() && (flags & VIRTQ_DESC_F_USED) != 0 != place.wrap();
    }

    private int room() {
        return size - publishedUsed.distance(nextAvail, size);
    }

    @Override
    boolean hasNext() {
        return room() > 0 && isAvailable(nextAvail);
    }

    @Override
    ReferenceBufferChain walk() {
        ReferenceBufferChain chain = new ReferenceBufferChain();
        Place place = nextAvail;
        length = 0;
        boolean goesOn = true;
        while (goesOn) {
            int at = at(place);
            int flags = memory.u16(at + FLAGS);
            length++;
            goesOn = (flags & VIRTQ_DESC_F_NEXT) != 0;
            boolean wellFormed = (flags & VIRTQ_DESC_F_INDIRECT) != 0
                    ? indirect && !goesOn && length == 1 && walkTable(at, chain)
                    : chain.add(memory.u64(at), memory.u32(at + LEN), flags);
            id = memory.u16(at + ID);
            place = place.next(size);
            if (!wellFormed || (goesOn && (length == room() || !isAvailable(place)))) {
                return null;
            }
        }
        return chain.bytes() > 0 ? chain : null;
    }

    private boolean walkTable(int descriptor, ReferenceBufferChain chain) {
        long address = memory.u64(descriptor);
        long bytes = Integer.toUnsignedLong(memory.u32(descriptor + LEN));
        if (bytes == 0 || bytes % VIRTQ_DESC_SIZE != 0 || !ReferenceGuestMemory.holds(address, bytes)) {
            return false;
        }
        int table = ReferenceGuestMemory.at(address);
        for (int at = table; at < table + bytes; at += VIRTQ_DESC_SIZE) {
            if (!chain.add(memory.u64(at), memory.u32(at + LEN), memory.u16(at + FLAGS))) {
                return false;
            }
        }
        return true;
    }

    @Override
    void use(int written) {
        int at = at(nextUsed);
        memory.set16(at + ID, id);
        memory.set32(at + LEN, written);
        if (!nextUsed.equals(publishedUsed)) {
            memory.set16(at + FLAGS, usedFlags(nextUsed));
        }
        nextUsed = nextUsed.plus(length, size);
        nextAvail = nextAvail.plus(length, size);
    }

    private static int usedFlags(Place place) {
        return VIRTQ_DESC_F_WRITE | (place.wrap() ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0);
    }

    @Override
    boolean publish() {
        Place first = publishedUsed;
        publishedUsed = nextUsed;
        if (first.equals(nextUsed)) {
            return false;
        }
        memory.set16(at(first) + FLAGS, usedFlags(first));
        int event = memory.u32(driverEvent);
        int flags = event >>> 16 & 3;
        if (flags != RING_EVENT_FLAGS_DESC || !eventIdx || (event & INDEX) >= size) {
            return flags != RING_EVENT_FLAGS_DISABLE;
        }
        return first.distance(Place.of(event & (INDEX | WRAP)), size) < first.distance(nextUsed, size);
    }

    @Override
    void rearm() {
        writeEvent(eventIdx ? RING_EVENT_FLAGS_DESC << 16 | nextAvail.desc() : 0);
    }

    @Override
    void suppressKicks() {
        writeEvent(RING_EVENT_FLAGS_DISABLE << 16);
    }

    private void writeEvent(int event) {
        if (!eventKnown || event != eventWritten) {
            memory.set32(deviceEvent, event);
            eventWritten = event;
            eventKnown = true;
        }
    }

    @Override
    int base() {
        return nextUsed.desc() << 16 | nextAvail.desc();
    }
}
