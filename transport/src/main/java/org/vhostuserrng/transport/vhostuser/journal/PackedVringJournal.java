package org.vhostuserrng.transport.vhostuser.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.vhostuser.inflight.ChecksummedWord;
import org.vhostuserrng.transport.vhostuser.inflight.PackedUsedPositionRecord;

/**
 * The position of a packed vring, which guest memory does not contain: a {@link PackedUsedPositionRecord} while the
 * vring runs, its base while it is stopped. A split vring needs no such record, because it resumes at its used index.
 *
 * <p>Layout, little-endian: 24 bytes of version 2 of the journal, {@link ChecksummedWord} number of runs,
 * ChecksummedWord base with the tag of the state (stopped or running), ChecksummedWord position record. Version 2: u64
 * number of runs, u32 base, u32 state (0: stopped, 1: running), u64 position record. Words of a vring that never ran
 * are 0.
 */
public final class PackedVringJournal {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long RUNS_2 = 0;
    private static final long BASE_2 = 8;
    private static final long STATE_2 = 12;
    private static final long POSITION_2 = 16;
    private static final int RUNNING_2 = 1;
    private static final long RUNS = 24;
    private static final long BASE = 32;
    private static final long POSITION = 40;

    private static final int RUNS_TAG = 0x5255_4e53;
    private static final int RUNNING = 0x474f_0102;
    private static final int STOPPED = 0x7354_6f50;

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

    /** Writes the words of this version from those of version 2, which it does not change. */
    void upgradeFromVersion2() {
        long runs = bytes.get(U64, RUNS_2);
        if (runs != 0) {
            bytes.set(U64, RUNS, ChecksummedWord.of((int) runs, RUNS_TAG));
            int state = bytes.get(U32, STATE_2) == RUNNING_2 ? RUNNING : STOPPED;
            bytes.set(U64, BASE, ChecksummedWord.of(bytes.get(U32, BASE_2), state));
            int position = (int) bytes.get(U64, POSITION_2);
            bytes.set(U64, POSITION, ChecksummedWord.of(position, PackedUsedPositionRecord.TAG));
        }
    }

    /** Returns whether each word has a valid check value, or was never written. */
    boolean isIntact() {
        long runs = bytes.get(U64, RUNS);
        long base = bytes.get(U64, BASE);
        long position = bytes.get(U64, POSITION);
        return (runs == 0 || ChecksummedWord.isValid(runs, RUNS_TAG))
                && (base == 0 || ChecksummedWord.isValid(base, STOPPED) || ChecksummedWord.isValid(base, RUNNING))
                && (position == 0 || ChecksummedWord.isValid(position, PackedUsedPositionRecord.TAG));
    }

    /**
     * Records that the vring has started. Its position is then in the position record.
     *
     * @param base the position at which the vring started, as in SET_VRING_BASE
     */
    public void started(int base) {
        long next = runs() + 1;
        bytes.set(U64, BASE, ChecksummedWord.of(base, RUNNING));
        VarHandle.releaseFence();
        // The word above only counts from this store on, unless the previous run counts already.
        bytes.set(U64, RUNS, ChecksummedWord.of((int) next, RUNS_TAG));
        VarHandle.releaseFence();
    }

    /**
     * Records that the vring has stopped.
     *
     * @param base the position at which the vring stopped, as in SET_VRING_BASE
     */
    public void stopped(int base) {
        bytes.set(U64, BASE, ChecksummedWord.of(base, STOPPED));
        VarHandle.releaseFence();
    }

    /** The number of runs so far, including the current one. */
    public long runs() {
        return Integer.toUnsignedLong(ChecksummedWord.value(bytes.get(U64, RUNS)));
    }

    /** Returns whether the vring runs, or was running when the previous process ended. */
    public boolean isRunning() {
        return ChecksummedWord.isValid(bytes.get(U64, BASE), RUNNING);
    }

    /** The last recorded base: the position at which the vring started or stopped, as in SET_VRING_BASE. */
    public int base() {
        return ChecksummedWord.value(bytes.get(U64, BASE));
    }
}
