package org.vhostuserrng.cli.egd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.vhostuserrng.backends.source.EntropySource;

/** Bytes of the source that nobody has been given yet, the oldest first. Each is wiped as it is moved out. */
final class EgdEntropyBuffer {
    private static final ByteBuffer ZEROS = ByteBuffer.allocate(4096);

    private final MemorySegment memory;
    private final ByteBuffer bytes;
    private int first;
    private int available;
    private boolean sourceIsDry;

    EgdEntropyBuffer(int capacity) {
        memory = Arena.ofAuto().allocate(capacity);
        bytes = memory.asByteBuffer();
    }

    int available() {
        return available;
    }

    /**
     * Takes from the source what it has now, and what there is room for.
     *
     * @return whether the source has failed
     */
    boolean takeFrom(EntropySource source) {
        int taken = 1;
        while (taken > 0 && available < bytes.capacity()) {
            int end = (first + available) % bytes.capacity();
            int room = Math.min(bytes.capacity() - available, bytes.capacity() - end);
            taken = source.fill(memory, end, room);
            available += Math.max(0, taken);
        }
        sourceIsDry = taken <= 0;
        return taken < 0;
    }

    /** Whether the source had no more when it was asked last. */
    boolean sourceIsDry() {
        return sourceIsDry;
    }

    /**
     * Moves the oldest bytes out.
     *
     * @param length at least 0
     * @return how many were moved: not more than are there, nor than {@code target} has room for
     */
    int moveTo(ByteBuffer target, int length) {
        int moved = 0;
        int wanted = Math.min(Math.min(length, available), target.remaining());
        while (moved < wanted) {
            int stretch = Math.min(wanted - moved, bytes.capacity() - first);
            target.put(target.position(), bytes, first, stretch);
            target.position(target.position() + stretch);
            wipe(bytes, first, stretch);
            first = (first + stretch) % bytes.capacity();
            available -= stretch;
            moved += stretch;
        }
        return moved;
    }

    void wipe() {
        wipe(bytes, 0, bytes.capacity());
        available = 0;
    }

    /** Overwrites bytes of any buffer that held some of the source's. */
    static void wipe(ByteBuffer buffer, int from, int length) {
        for (int done = 0; done < length; done += ZEROS.capacity()) {
            buffer.put(from + done, ZEROS, 0, Math.min(ZEROS.capacity(), length - done));
        }
    }
}
