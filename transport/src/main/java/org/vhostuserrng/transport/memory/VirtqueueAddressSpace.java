package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;

/**
 * Guest memory by the addresses that a virtqueue's driver uses: guest-physical ones or, with
 * VIRTIO_F_ACCESS_PLATFORM, I/O virtual ones that an {@link Iotlb} translates. One for each run of a virtqueue, that
 * remembers which translation stood in its way. Confined to the loop's thread; lookups neither allocate nor throw.
 */
public final class VirtqueueAddressSpace {
    /** {@link #translate}: the translation is not known yet; {@link #refusedAddress} tells which. */
    public static final int MISSING = -1;

    /** {@link #translate}: the device may not do that there; {@link #refusedAddress} tells where. */
    public static final int DENIED = -2;

    private static final int MOST_PARTS = 3;

    private final GuestMemory memory;
    private final Iotlb iotlb;
    private final long[] partFirsts = new long[MOST_PARTS];
    private final long[] partLasts = new long[MOST_PARTS];
    private int parts;
    private long refusedAddress;
    private int refusedAccess;
    private boolean denied;

    private VirtqueueAddressSpace(GuestMemory memory, Iotlb iotlb) {
        this.memory = memory;
        this.iotlb = iotlb;
    }

    /** Memory of a driver that uses guest-physical addresses. */
    public static VirtqueueAddressSpace physical(GuestMemory memory) {
        return new VirtqueueAddressSpace(memory, null);
    }

    /** Memory of a driver behind an IOMMU; {@code iotlb} may change while the virtqueue runs. */
    public static VirtqueueAddressSpace translated(GuestMemory memory, Iotlb iotlb) {
        return new VirtqueueAddressSpace(memory, iotlb);
    }

    /** Whether addresses have to be translated before {@link #guest} has them. */
    public boolean isTranslated() {
        return iotlb != null;
    }

    /** The memory by guest-physical addresses. */
    public GuestMemory guest() {
        return memory;
    }

    // --- translation: only if there is one -------------------------------------------------------------------------

    /**
     * Looks an I/O virtual address up: a number for {@link #guestAddress} and {@link #room}, {@link #MISSING} or
     * {@link #DENIED}.
     *
     * @param access {@link Iotlb#READ}, {@link Iotlb#WRITE} or both
     */
    public int translate(long iova, int access) {
        int entry = iotlb.entryAt(iova);
        if (entry != Iotlb.NONE && iotlb.allows(entry, access)) {
            return entry;
        }
        refusedAddress = iova;
        refusedAccess = access;
        denied = entry != Iotlb.NONE;
        return denied ? DENIED : MISSING;
    }

    /** The guest-physical address of an I/O virtual one that has been looked up. */
    public long guestAddress(int translation, long iova) {
        return iotlb.guestAddress(translation, iova);
    }

    /** How many bytes from there on the same translation holds for. */
    public long room(int translation, long iova) {
        return iotlb.room(translation, iova);
    }

    /** The I/O virtual address that was looked up in vain last. */
    public long refusedAddress() {
        return refusedAddress;
    }

    /** What was to be done there. */
    public int refusedAccess() {
        return refusedAccess;
    }

    /** Whether something had to be given up because the device may not do it. */
    public boolean isDenied() {
        return denied;
    }

    // --- parts of the virtqueue itself -----------------------------------------------------------------------------

    /**
     * A part of the virtqueue, which is used until its end: the bytes, if they lie in one piece in guest memory; else
     * null. Allocates.
     *
     * @param access what the device does to it
     */
    public MemorySegment part(long address, long length, int access) throws IotlbMissException {
        if (iotlb == null) {
            return memory.slice(address, length);
        }
        if (!isContiguous(address, length, access)) {
            return null;
        }
        partFirsts[parts] = address;
        partLasts[parts] = address + length - 1;
        parts++;
        return memory.slice(guestAddress(address), length);
    }

    /** The guest-physical address of a {@link #part}. */
    public long guestAddress(long address) {
        return iotlb == null ? address : iotlb.guestAddress(iotlb.entryAt(address), address);
    }

    /** Whether a part of the virtqueue lies in a range of addresses, wholly or not. */
    public boolean hasPartIn(long first, long last) {
        for (int part = 0; part < parts; part++) {
            if (Long.compareUnsigned(partFirsts[part], last) <= 0
                    && Long.compareUnsigned(first, partLasts[part]) <= 0) {
                return true;
            }
        }
        return false;
    }

    /** Whether translations that follow each other lead to one piece of guest memory. */
    private boolean isContiguous(long address, long length, int access) throws IotlbMissException {
        if (Long.compareUnsigned(address + length - 1, address) < 0) {
            return false;
        }
        long done = 0;
        long begin = 0;
        while (done < length) {
            int translation = translate(address + done, access);
            if (translation == MISSING) {
                throw new IotlbMissException(address + done);
            }
            if (translation == DENIED) {
                return false;
            }
            long guestAddress = guestAddress(translation, address + done);
            begin = done == 0 ? guestAddress : begin;
            if (guestAddress != begin + done) {
                return false;
            }
            done += room(translation, address + done);
        }
        return true;
    }
}
