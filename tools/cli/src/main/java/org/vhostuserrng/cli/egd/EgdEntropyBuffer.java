package org.vhostuserrng.cli.egd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.vhostuserrng.backends.EntropySource;

/** Bytes of the source that nobody has been given yet, the oldest first. Each is wiped as it is moved out. */
final class EgdEntropyBuffer {
    private static final ByteBuffer ZEROS = ByteBuffer.allocate(4096);

    private final MemorySegment memory;
    private final ByteBuffer bytes;
    private int first;
    private int availableBytes;
    private boolean sourceStarved;

    EgdEntropyBuffer(int capacity) {
        memory = Arena.ofAuto().allocate(capacity);
        bytes = memory.asByteBuffer();
    }

    int availableBytes() {
        return availableBytes;
    }

    /**
     * Takes from the source what it has now, and what there is room for.
     *
     * @return whether the source has failed
     */
    boolean fillFrom(EntropySource source) {
        int taken = 1;
        while (taken > 0 && availableBytes < bytes.capacity()) {
            int end = (first + availableBytes) % bytes.capacity();
            int room = Math.min(bytes.capacity() - availableBytes, bytes.capacity() - end);
            taken = source.fill(memory, end, room);
            availableBytes += Math.max(0, taken);
        }
        sourceStarved = taken <= 0;
        return taken < 0;
    }

    /** Whether the source had no more when it was asked last. */
    boolean sourceStarved() {
        return sourceStarved;
    }

    /**
     * Moves the oldest bytes out.
     *
     * @param length at least 0
     * @return how many were moved: not more than are there, nor than {@code target} has room for
     */
    int drainTo(ByteBuffer target, int length) {
        int moved = 0;
        int wanted = Math.min(Math.min(length, availableBytes), target.remaining());
        while (moved < wanted) {
            int stretch = Math.min(wanted - moved, bytes.capacity() - first);
            target.put(target.position(), bytes, first, stretch);
            target.position(target.position() + stretch);
            wipe(bytes, first, stretch);
            first = (first + stretch) % bytes.capacity();
            availableBytes -= stretch;
            moved += stretch;
        }
        return moved;
    }

    void wipe() {
        wipe(bytes, 0, bytes.capacity());
        availableBytes = 0;
    }

    /** Overwrites bytes of any buffer that held some of the source's. */
    static void wipe(ByteBuffer buffer, int from, int length) {
        for (int done = 0; done < length; done += ZEROS.capacity()) {
            buffer.put(from + done, ZEROS, 0, Math.min(ZEROS.capacity(), length - done));
        }
    }
}
