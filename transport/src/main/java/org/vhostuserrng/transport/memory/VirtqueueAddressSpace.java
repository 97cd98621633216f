package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.sys.HugePages;

/**
 * Guest memory, addressed as the driver of one virtqueue does: by guest-physical addresses or, with
 * VIRTIO_F_ACCESS_PLATFORM, by I/O virtual addresses that an {@link Iotlb} translates. There is one instance per run of
 * a virtqueue, which stores the last translation and the last access that failed. Confined to the loop's thread.
 * Lookups neither allocate nor throw.
 */
public final class VirtqueueAddressSpace {
    /** {@link #translate}: the IOTLB has no entry; {@link #faultAddress} is the address. */
    public static final int MISSING = -1;

    /** {@link #translate}: the IOTLB entry does not permit the access; {@link #faultAddress} is the address. */
    public static final int DENIED = -2;

    /** Descriptor area, driver area and device area. */
    private static final int MAX_AREAS = 3;

    private final GuestMemory memory;
    private final Iotlb iotlb;
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

    private VirtqueueAddressSpace(GuestMemory memory, Iotlb iotlb) {
        this.memory = memory;
        this.iotlb = iotlb;
    }

    /** The address space of a driver that uses guest-physical addresses. */
    public static VirtqueueAddressSpace physical(GuestMemory memory) {
        return new VirtqueueAddressSpace(memory, null);
    }

    /** The address space of a driver behind an IOMMU. The {@code iotlb} may change while the virtqueue runs. */
    public static VirtqueueAddressSpace translated(GuestMemory memory, Iotlb iotlb) {
        return new VirtqueueAddressSpace(memory, iotlb);
    }

    /** Whether addresses need translation before {@link #guest} can resolve them. */
    public boolean isTranslated() {
        return iotlb != null;
    }

    /** The memory by guest-physical address. */
    public GuestMemory guest() {
        return memory;
    }

    // --- translation; only if isTranslated -------------------------------------------------------------------------

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

    /** The guest-physical address of a translated I/O virtual address. */
    public long guestAddress(int translation, long iova) {
        return iotlb.guestAddress(translation, iova);
    }

    /** The number of bytes from {@code iova} to the end of the translation. */
    public long remaining(int translation, long iova) {
        return iotlb.remaining(translation, iova);
    }

    /** The I/O virtual address of the last failed {@link #translate}. */
    public long faultAddress() {
        return faultAddress;
    }

    /** The access of the last failed {@link #translate}. */
    public int faultAccess() {
        return faultAccess;
    }

    /** Whether the last failed {@link #translate} was {@link #DENIED}. */
    public boolean isDenied() {
        return denied;
    }

    // --- addresses outside mapped memory ---------------------------------------------------------------------------

    /**
     * Stores that an access failed at a guest-physical address that {@link #guest} does not resolve.
     *
     * @return whether the address is in a memory region that is not accessible, as opposed to none
     */
    public boolean failOutside(long guestAddress) {
        outsideAddress = guestAddress;
        inaccessible = memory.isInaccessible(guestAddress);
        return inaccessible;
    }

    /** Whether the last {@link #failOutside} was in a memory region that is not accessible. */
    public boolean isInaccessible() {
        return inaccessible;
    }

    /** Describes the address of the last {@link #failOutside} and its memory region, for a log line. */
    public String describeOutside() {
        return memory.describeOutside(outsideAddress);
    }

    // --- huge pages ------------------------------------------------------------------------------------------------

    /**
     * Whether an access to guest memory allocates no huge page. Otherwise the device must not make the access, and
     * {@link #hugePageFault} allocates the pages.
     *
     * @param region index in {@link #guest}
     * @param length at least 1; the range is in the region
     */
    public boolean isAllocated(int region, long offset, long length) {
        if (memory.isAllocated(region, offset, length)) {
            return true;
        }
        missingRegion = region;
        missingOffset = offset;
        missingLength = length;
        return false;
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
     * Maps an area of the virtqueue for as long as the virtqueue runs. Allocates.
     *
     * @param access the device's access to the area
     * @return the bytes, or null if they are not contiguous in one region of guest memory
     */
    public MemorySegment mapArea(long address, long length, int access) throws MemoryNotReadyException {
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

    /** The guest-physical address of a mapped area. */
    public long guestAddress(long address) {
        return iotlb == null ? address : iotlb.guestAddress(iotlb.entryAt(address), address);
    }

    /** Whether a mapped area overlaps a range of addresses. */
    public boolean hasAreaIn(long first, long last) {
        for (int area = 0; area < areas; area++) {
            if (Long.compareUnsigned(areaFirsts[area], last) <= 0
                    && Long.compareUnsigned(first, areaLasts[area]) <= 0) {
                return true;
            }
        }
        return false;
    }

    /** Whether consecutive translations lead to contiguous guest memory. */
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
