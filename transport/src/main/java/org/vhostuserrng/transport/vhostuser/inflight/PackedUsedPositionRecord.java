package org.vhostuserrng.transport.vhostuser.inflight;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.virtio.PackedUsedPositionTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * A {@link PackedUsedPositionTracker} in one {@link ChecksummedWord}, which is stored before each used descriptor
 * becomes visible: bits 0 to 15 are the position of this descriptor, bits 16 to 31 the position after its chain. If the
 * process ends, the next process reads from the ring whether the descriptor was published. Requests that were popped,
 * but not published, are still available.
 */
public final class PackedUsedPositionRecord implements PackedUsedPositionTracker {
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int AFTER_SHIFT = 16;
    private static final int POSITION_MASK = 0xffff;
    /** The tag of the {@link ChecksummedWord}. */
    public static final int TAG = 0x504f_5331;

    private final MemorySegment bytes;
    private final boolean continued;
    private int position;

    /**
     * Creates an instance. Does not access the memory yet.
     *
     * @param bytes the record: 8 bytes, aligned to 8 bytes
     * @param continued whether a previous process left the record
     */
    public PackedUsedPositionRecord(MemorySegment bytes, boolean continued) {
        this.bytes = bytes;
        this.continued = continued;
    }

    @Override
    public int open(MemorySegment ring, int queueSize, int nextUsed) {
        position = continued ? recordedPosition(ring, queueSize) : nextUsed;
        publishing(position);
        return position;
    }

    private int recordedPosition(MemorySegment ring, int queueSize) {
        int recorded = ChecksummedWord.value(bytes.get(U64, 0));
        int before = recorded & POSITION_MASK;
        int after = recorded >>> AFTER_SHIFT;
        int index = before & VirtioConstants.PACKED_INDEX_MASK;
        if (index >= queueSize) {
            return before;
        }
        long at = (long) index * VirtioConstants.DESCRIPTOR_BYTES + VirtioConstants.PVIRTQ_DESC_FLAGS;
        int flags = Short.toUnsignedInt(ring.get(InflightRegion.U16, at));
        // A driver that has seen the used descriptor may have made the slot available again, but with the other wrap
        // counter.
        boolean available =
                VirtioConstants.isPackedAvailable(flags, (before & VirtioConstants.PACKED_WRAP_COUNTER) != 0);
        return available ? before : after;
    }

    @Override
    public void publishing(int nextUsed) {
        // Fences keep the stores in order, so that at any instant a prefix of them is visible to the next process.
        VarHandle.releaseFence();
        bytes.set(U64, 0, ChecksummedWord.of(position | nextUsed << AFTER_SHIFT, TAG));
        VarHandle.releaseFence();
        position = nextUsed;
    }
}
