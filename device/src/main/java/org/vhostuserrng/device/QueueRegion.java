package org.vhostuserrng.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.InflightArea;
import org.vhostuserrng.transport.InvalidQueueException;

/** How QueueRegionSplit and QueueRegionPacked begin (vhost-user, "Inflight I/O tracking"). */
final class QueueRegion {
    // The machine's own order in the document; the hosts this runs on are little-endian.
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // uint64_t features; uint16_t version; uint16_t desc_num;
    private static final long FEATURES = 0;
    private static final long VERSION = 8;
    private static final long DESC_NUM = 10;

    /** Zero stands for a region that nobody has used. */
    private static final short UNUSED = 0;

    private static final short VERSION_1 = 1;

    private QueueRegion() {}

    /**
     * Whether a predecessor has left its record.
     *
     * @param size of the virtqueue
     * @throws InvalidQueueException if it is of a kind that is not known here, or for other virtqueues
     */
    static boolean hasPredecessor(InflightArea area, int size) throws InvalidQueueException {
        if (size > area.queueSize()) {
            throw new InvalidQueueException(
                    "inflight region for " + area.queueSize() + " descriptors, of a queue of " + size);
        }
        MemorySegment region = area.bytes();
        short version = region.get(U16, VERSION);
        if (version == UNUSED) {
            return false;
        }
        if (version != VERSION_1 || region.get(U64, FEATURES) != 0) {
            throw new InvalidQueueException("inflight region of version " + version + ", expected 1 without features");
        }
        int descNum = Short.toUnsignedInt(region.get(U16, DESC_NUM));
        if (descNum != area.queueSize()) {
            throw new InvalidQueueException("inflight region with desc_num " + descNum + ", not " + area.queueSize());
        }
        return true;
    }

    /** The rest of the region is as it has to be in the beginning: a successor may rely on it from now on. */
    static void begin(InflightArea area) {
        MemorySegment region = area.bytes();
        region.set(U64, FEATURES, 0);
        region.set(U16, DESC_NUM, (short) area.queueSize());
        VarHandle.releaseFence();
        region.set(U16, VERSION, VERSION_1);
    }
}
