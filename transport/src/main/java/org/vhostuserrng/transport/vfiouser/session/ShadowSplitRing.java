package org.vhostuserrng.transport.vfiouser.session;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.ShadowVirtqueueAreas;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * The areas of a shadow split virtqueue (VIRTIO 1.3 §2.7), and the transfers that keep them and the guest's virtqueue
 * equal. Each method begins one transfer. Confined to the loop's thread.
 */
final class ShadowSplitRing {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    // §2.7.6: struct virtq_avail { le16 flags; le16 idx; le16 ring[size]; le16 used_event; }
    // §2.7.8: struct virtq_used { le16 flags; le16 idx; struct { le32 id; le32 len; } ring[size]; le16 avail_event; }
    private static final int FLAGS = 0;
    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int AVAIL_ELEM_BYTES = 2;
    private static final int USED_ELEM_BYTES = 8;
    private static final int EVENT_BYTES = 2;
    private static final int U16_MASK = 0xffff;
    private static final int UNKNOWN = -1;

    private final int size;
    private final boolean eventIdx;
    private final VirtqueueConfig.Areas areas;
    private final MemorySegment table;
    private final MemorySegment avail;
    private final MemorySegment used;
    /** The available ring as it was last read, before the device sees it. */
    private final MemorySegment newAvail;

    // The values that the guest has.
    private int usedFlagsAndIdx;
    private int usedElements;
    private int availEvent = UNKNOWN;

    /** The used index at the last decision whether to notify the driver. */
    private int notifiedIdx;

    /**
     * Creates the copy, which contains zeros.
     *
     * @param size Queue Size, a power of 2
     */
    ShadowSplitRing(int size, long features, VirtqueueConfig.Areas areas, ShadowVirtqueueAreas copies) {
        this.size = size;
        this.eventIdx = (features & VirtioConstants.VIRTIO_F_EVENT_IDX) != 0;
        this.areas = areas;
        this.table = copies.addArea(areas.descriptorArea(), (long) size * VirtioConstants.DESCRIPTOR_BYTES);
        this.avail = copies.addArea(areas.driverArea(), RING + (long) size * AVAIL_ELEM_BYTES + EVENT_BYTES);
        this.used = copies.addArea(areas.deviceArea(), RING + (long) size * USED_ELEM_BYTES + EVENT_BYTES);
        this.newAvail = MemorySegment.ofArray(new byte[(int) avail.byteSize()]);
    }

    // --- reading ---------------------------------------------------------------------------------------------------

    /** Reads flags and idx of the used ring, before the device starts. */
    void readUsedIdx(DmaTransfer transfer) {
        transfer.read(areas.deviceArea(), used, FLAGS, RING);
    }

    /** Completes {@link #readUsedIdx}. */
    void usedIdxRead() {
        usedFlagsAndIdx = used.get(LE32, FLAGS);
        usedElements = idx(used);
        notifiedIdx = usedElements;
    }

    /** Reads flags, idx and used_event of the available ring. Its entries are read later. */
    void readAvailIdx(DmaTransfer transfer) {
        transfer.read(areas.driverArea(), newAvail, FLAGS, newAvail.byteSize());
    }

    /** Whether the last {@link #readAvailIdx} has found another available index than the device has seen. */
    boolean hasNewAvailIdx() {
        return idx(newAvail) != idx(avail);
    }

    /** Reads the entries of the available ring, after idx. */
    void readAvailEntries(DmaTransfer transfer) {
        transfer.read(areas.driverArea() + RING, avail, RING, avail.byteSize() - RING);
    }

    /** Reads the descriptor table, after idx of the available ring. */
    void readDescriptors(DmaTransfer transfer) {
        transfer.read(areas.descriptorArea(), table, 0, table.byteSize());
    }

    /** Lets the device see the available buffers whose entries and descriptors were read. */
    void publishAvail() {
        avail.set(LE32, FLAGS, newAvail.get(LE32, FLAGS));
    }

    // --- writing ---------------------------------------------------------------------------------------------------

    /** Writes used elements that the guest lacks, up to the end of the ring. Returns false if there are none. */
    boolean writeUsedElements(DmaTransfer transfer) {
        int missing = (idx(used) - usedElements) & U16_MASK;
        if (missing == 0) {
            return false;
        }
        int first = usedElements & (size - 1);
        int count = Math.min(missing, size - first);
        long offset = RING + (long) first * USED_ELEM_BYTES;
        transfer.write(areas.deviceArea() + offset, used, offset, (long) count * USED_ELEM_BYTES);
        usedElements = (usedElements + count) & U16_MASK;
        return true;
    }

    /** Writes flags and idx of the used ring, after the used elements. Returns false if the guest has them. */
    boolean writeUsedIdx(DmaTransfer transfer) {
        int flagsAndIdx = used.get(LE32, FLAGS);
        if (flagsAndIdx == usedFlagsAndIdx) {
            return false;
        }
        usedFlagsAndIdx = flagsAndIdx;
        transfer.write(areas.deviceArea(), used, FLAGS, RING);
        return true;
    }

    /** Writes avail_event. Returns false if the guest has it, or does not use it. */
    boolean writeAvailEvent(DmaTransfer transfer) {
        long offset = used.byteSize() - EVENT_BYTES;
        int event = Short.toUnsignedInt(used.get(LE16, offset));
        if (!eventIdx || event == availEvent) {
            return false;
        }
        availEvent = event;
        transfer.write(areas.deviceArea() + offset, used, offset, EVENT_BYTES);
        return true;
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    /** Whether the guest may have a used index for which {@link #takeNotification} has not been called. */
    boolean mayOweNotification() {
        return usedFlagsAndIdx >>> Short.SIZE != notifiedIdx;
    }

    /**
     * Decides whether to notify the driver of the used buffers, based on the last {@link #readAvailIdx}, which must
     * come after {@link #writeUsedIdx}: otherwise a notification could be lost.
     */
    boolean takeNotification() {
        int before = notifiedIdx;
        notifiedIdx = idx(used);
        if (notifiedIdx == before) {
            return false;
        }
        // VIRTIO 1.3 §2.7.7.2: with VIRTIO_F_EVENT_IDX, used_event decides whether to notify, otherwise
        // VIRTQ_AVAIL_F_NO_INTERRUPT.
        if (eventIdx) {
            int usedEvent = Short.toUnsignedInt(newAvail.get(LE16, newAvail.byteSize() - EVENT_BYTES));
            return VirtioConstants.needEvent(usedEvent, notifiedIdx, before);
        }
        return (newAvail.get(LE16, FLAGS) & VirtioConstants.VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
    }

    private static int idx(MemorySegment ring) {
        return Short.toUnsignedInt(ring.get(LE16, IDX));
    }
}
