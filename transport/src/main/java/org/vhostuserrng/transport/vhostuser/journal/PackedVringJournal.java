package org.vhostuserrng.transport.vhostuser.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.vhostuser.inflight.PackedUsedPositionRecord;

/**
 * The position of a packed vring, which guest memory does not contain: a {@link PackedUsedPositionRecord} while the
 * vring runs, its base while it is stopped. A split vring needs no such record, because it resumes at its used index.
 *
 * <p>Layout, little-endian: u64 number of runs, u32 base, u32 state (0: stopped, 1: running), u64 position record.
 */
public final class PackedVringJournal {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long RUNS = 0;
    private static final long BASE = 8;
    private static final long STATE = 12;
    private static final int RUNNING = 1;
    private static final int STOPPED = 0;
    private static final long POSITION = 16;

    private final MemorySegment bytes;

    PackedVringJournal(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /**
     * Returns the position record of a vring that is about to start.
     *
     * @param continued whether a previous process left the record while the vring ran
     */
    public PackedUsedPositionRecord position(boolean continued) {
        return new PackedUsedPositionRecord(bytes.asSlice(POSITION, Long.BYTES), continued);
    }

    /**
     * Records that the vring has started. Its position is then in the position record.
     *
     * @param base the position at which the vring started, as in SET_VRING_BASE
     */
    public void started(int base) {
        bytes.set(U32, BASE, base);
        VarHandle.releaseFence();
        bytes.set(U64, RUNS, runs() + 1);
        VarHandle.releaseFence();
        bytes.set(U32, STATE, RUNNING);
        VarHandle.releaseFence();
    }

    /**
     * Records that the vring has stopped.
     *
     * @param base the position at which the vring stopped, as in SET_VRING_BASE
     */
    public void stopped(int base) {
        bytes.set(U32, BASE, base);
        VarHandle.releaseFence();
        bytes.set(U32, STATE, STOPPED);
        VarHandle.releaseFence();
    }

    /** The number of runs so far, including the current one. */
    public long runs() {
        return bytes.get(U64, RUNS);
    }

    /** Returns whether the vring runs, or was running when the previous process ended. */
    public boolean isRunning() {
        return bytes.get(U32, STATE) == RUNNING;
    }

    /** The last recorded base: the position at which the vring started or stopped, as in SET_VRING_BASE. */
    public int base() {
        return bytes.get(U32, BASE);
    }
}
