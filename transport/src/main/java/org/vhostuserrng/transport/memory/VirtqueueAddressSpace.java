package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.sys.HugePages;

/**
 * Guest memory by the addresses that the driver of one virtqueue uses: guest-physical addresses or, with
 * VIRTIO_F_ACCESS_PLATFORM, I/O virtual addresses that an {@link Iotlb} translates. Each run of a virtqueue has its own
 * instance, which stores the last failed translation and the last failed access. Lookups neither allocate nor throw.
 * Confined to the loop's thread.
 */
public final class VirtqueueAddressSpace {
    /**
     * Returned by {@link #translate} if the IOTLB has no entry for the address, which is then {@link #faultAddress}.
     */
    public static final int MISSING = -1;

    /**
     * Returned by {@link #translate} if the IOTLB entry does not permit the access to the address, which is then
     * {@link #faultAddress}.
     */
    public static final int DENIED = -2;

    /** A virtqueue has a descriptor area, a driver area and a device area. */
    private static final int MAX_AREAS = 3;

    private final GuestMemory memory;
    private final Iotlb iotlb;
    /** Null if the virtqueue accesses mapped memory only. */
    private final ShadowVirtqueueAreas copies;

    private final long[] areaFirsts = new long[MAX_AREAS];
    private final long[] areaLasts = new long[MAX_AREAS];
    private int areas;
    private long faultAddress;
    private int faultAccess;
    private boolean denied;
    private long outsideAddress;
    private boolean inaccessible;
    private int missingRegion = GuestMemory.NONE;
    private long missingOffset;
    private long missingLength;
    private boolean copyMissing;

    private VirtqueueAddressSpace(GuestMemory memory, Iotlb iotlb, ShadowVirtqueueAreas copies) {
        this.memory = memory;
        this.iotlb = iotlb;
        this.copies = copies;
    }

    /** Creates the address space of a driver that uses guest-physical addresses. */
    public static VirtqueueAddressSpace physical(GuestMemory memory) {
        return new VirtqueueAddressSpace(memory, null, null);
    }

    /** Creates the address space of a driver behind an IOMMU. The {@code iotlb} may change while the virtqueue runs. */
    public static VirtqueueAddressSpace translated(GuestMemory memory, Iotlb iotlb) {
        return new VirtqueueAddressSpace(memory, iotlb, null);
    }

    /**
     * Creates the address space of a driver that uses guest-physical addresses, whose virtqueue the transport copies
     * from and to the guest.
     */
    public static VirtqueueAddressSpace copied(GuestMemory memory, ShadowVirtqueueAreas copies) {
        return new VirtqueueAddressSpace(memory, null, copies);
    }

    /**
     * Returns whether the driver uses I/O virtual addresses, which must be translated to look them up in
     * {@link #guest}.
     */
    public boolean isTranslated() {
        return iotlb != null;
    }

    /** The guest's memory, by guest-physical address. */
    public GuestMemory guest() {
        return memory;
    }

    // --- translation, only if isTranslated() -----------------------------------------------------------------------

    /**
     * Translates an I/O virtual address.
     *
     * @param access {@link Iotlb#READ}, {@link Iotlb#WRITE} or both
     * @return a translation for {@link #guestAddress(int, long)} and {@link #remaining}, {@link #MISSING} or
     *     {@link #DENIED}
     */
    public int translate(long iova, int access) {
        int entry = iotlb.entryAt(iova);
        if (entry != Iotlb.NONE && iotlb.allows(entry, access)) {
            return entry;
        }
        faultAddress = iova;
        faultAccess = access;
        denied = entry != Iotlb.NONE;
        return denied ? DENIED : MISSING;
    }

    /** Returns the guest-physical address of a translated I/O virtual address. */
    public long guestAddress(int translation, long iova) {
        return iotlb.guestAddress(translation, iova);
    }

    /** Returns the number of bytes from {@code iova} to the end of the translation. */
    public long remaining(int translation, long iova) {
        return iotlb.remaining(translation, iova);
    }

    /** The I/O virtual address of the last failed {@link #translate}. */
    public long faultAddress() {
        return faultAddress;
    }

    /** The access of the last failed {@link #translate}: {@link Iotlb#READ}, {@link Iotlb#WRITE} or both. */
    public int faultAccess() {
        return faultAccess;
    }

    /** Returns whether the last failed {@link #translate} returned {@link #DENIED}. */
    public boolean isDenied() {
        return denied;
    }

    // --- addresses outside mapped memory ---------------------------------------------------------------------------

    /**
     * Records a failed access at a guest-physical address that is in no mapped region of {@link #guest}.
     *
     * @return true if the address is in an {@link InaccessibleRegion}, false if it is in no region
     */
    public boolean failOutside(long guestAddress) {
        outsideAddress = guestAddress;
        inaccessible = memory.isInaccessible(guestAddress);
        return inaccessible;
    }

    /** Returns the result of the last {@link #failOutside}. */
    public boolean isInaccessible() {
        return inaccessible;
    }

    /**
     * Describes, for a log line, the address of the last {@link #failOutside} and the memory region that contains it.
     */
    public String describeOutside() {
        return memory.describeOutside(outsideAddress);
    }

    // --- huge pages ------------------------------------------------------------------------------------------------

    /**
     * Whether an access to guest memory allocates no huge page. Otherwise the device must not make the access, and
     * {@link #hugePageFault} allocates the pages. In a region that is a copy, this applies to writes only.
     *
     * @param region index in {@link #guest}
     * @param length at least 1; the range is in the region
     */
    public boolean isAllocated(int region, long offset, long length) {
        if (memory.isCopy(region)) {
            copyMissing = copies == null;
            return !copyMissing;
        }
        if (memory.isAllocated(region, offset, length)) {
            return true;
        }
        missingRegion = region;
        missingOffset = offset;
        missingLength = length;
        return false;
    }

    /**
     * Whether the device can read a range of a region: {@link #isAllocated}, and in a region that is a copy, the
     * transport has read the range from the guest.
     */
    public boolean isReadable(int region, long offset, long length) {
        if (!isAllocated(region, offset, length)) {
            return false;
        }
        return !memory.isCopy(region) || copies.hasRead(memory.guestAddress(region, offset), length);
    }

    /**
     * Whether the last access that was not possible needs an address space with {@link #copied copies}. Never true in
     * an address space that has copies.
     */
    public boolean isCopyMissing() {
        return copyMissing;
    }

    /** Whether the last access that was not possible needs a huge page. */
    public boolean isHugePageMissing() {
        return missingRegion != GuestMemory.NONE;
    }

    /** Prepares to allocate the missing huge pages. For the transport only. */
    @SuppressWarnings("exports")
    public HugePages.Fault hugePageFault() {
        HugePages.Fault fault = memory.hugePageFault(missingRegion, missingOffset, missingLength);
        missingRegion = GuestMemory.NONE;
        return fault;
    }

    // --- the areas of the virtqueue itself -------------------------------------------------------------------------

    /**
     * Resolves the address of an area of the virtqueue, for as long as the virtqueue runs. Allocates.
     *
     * @param access the device's access to the area
     * @return the bytes of the area, or their copy; null if the access is denied, or if no region of guest memory
     *     contains them contiguously
     * @throws MemoryNotReadyException if the IOTLB has no translation of a part of the area
     */
    public MemorySegment mapArea(long address, long length, int access) throws MemoryNotReadyException {
        if (copies != null) {
            return isInMemory(address, length) ? copies.area(address, length) : null;
        }
        if (iotlb == null) {
            return slice(address, length);
        }
        if (!isContiguous(address, length, access)) {
            return null;
        }
        areaFirsts[areas] = address;
        areaLasts[areas] = address + length - 1;
        areas++;
        return slice(guestAddress(address), length);
    }

    /** Returns whether regions contain a range, which may cross the boundary of adjacent ones. */
    private boolean isInMemory(long guestAddress, long length) {
        if (Long.compareUnsigned(guestAddress + length - 1, guestAddress) < 0) {
            failOutside(guestAddress);
            return false;
        }
        long at = guestAddress;
        while (at - guestAddress < length) {
            int region = memory.regionAt(at);
            if (region == GuestMemory.NONE) {
                failOutside(at);
                return false;
            }
            at = memory.firstOutsideRegion(at);
        }
        return true;
    }

    private MemorySegment slice(long guestAddress, long length) throws MemoryNotReadyException {
        MemorySegment area = memory.slice(guestAddress, length);
        if (area == null) {
            failOutside(memory.firstOutsideRegion(guestAddress));
            return null;
        }
        int region = memory.regionAt(guestAddress);
        if (!isAllocated(region, memory.offset(region, guestAddress), length)) {
            throw MemoryNotReadyException.noHugePage(guestAddress);
        }
        return area;
    }

    /** Returns the guest-physical address of an area that {@link #mapArea} has resolved. */
    public long guestAddress(long address) {
        return iotlb == null ? address : iotlb.guestAddress(iotlb.entryAt(address), address);
    }

    /** Returns whether an area of {@link #mapArea} overlaps a range of I/O virtual addresses. */
    public boolean hasAreaIn(long first, long last) {
        for (int area = 0; area < areas; area++) {
            if (Long.compareUnsigned(areaFirsts[area], last) <= 0
                    && Long.compareUnsigned(first, areaLasts[area]) <= 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns whether the translations of a range permit the access, and lead to contiguous guest-physical addresses.
     */
    private boolean isContiguous(long address, long length, int access) throws MemoryNotReadyException {
        if (Long.compareUnsigned(address + length - 1, address) < 0) {
            failOutside(address);
            return false;
        }
        long done = 0;
        long begin = 0;
        while (done < length) {
            int translation = translate(address + done, access);
            if (translation == MISSING) {
                throw MemoryNotReadyException.noIotlbEntry(address + done);
            }
            if (translation == DENIED) {
                return false;
            }
            long guestAddress = guestAddress(translation, address + done);
            begin = done == 0 ? guestAddress : begin;
            if (guestAddress != begin + done) {
                failOutside(guestAddress);
                return false;
            }
            done += remaining(translation, address + done);
        }
        return true;
    }
}
