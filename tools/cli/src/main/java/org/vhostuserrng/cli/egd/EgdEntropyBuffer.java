package org.vhostuserrng.cli.egd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.vhostuserrng.backends.source.EntropySource;

/** A ring buffer of bytes from the source for any client. Bytes are wiped when a client has received them. */
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
     * Fills the buffer from the source until the buffer is full or the source has no more bytes. Does not block.
     *
     * @return whether the source has failed
     */
    boolean fillFrom(EntropySource source) {
        int filled = 1;
        while (filled > 0 && availableBytes < bytes.capacity()) {
            int end = (first + availableBytes) % bytes.capacity();
            int room = Math.min(bytes.capacity() - availableBytes, bytes.capacity() - end);
            filled = source.fill(memory, end, room);
            availableBytes += Math.max(0, filled);
        }
        sourceStarved = filled <= 0;
        return filled < 0;
    }

    /** Whether the source had no more bytes at the last {@link #fillFrom}. */
    boolean sourceStarved() {
        return sourceStarved;
    }

    /**
     * Moves the oldest bytes to {@code target} and wipes them in this buffer.
     *
     * @param length maximum number of bytes, at least 0
     * @return number of bytes moved; at most the number of available bytes and the space in {@code target}
     */
    int drainTo(ByteBuffer target, int length) {
        int moved = 0;
        int wanted = Math.min(Math.min(length, availableBytes), target.remaining());
        while (moved < wanted) {
            int contiguous = Math.min(wanted - moved, bytes.capacity() - first);
            target.put(target.position(), bytes, first, contiguous);
            target.position(target.position() + contiguous);
            wipe(bytes, first, contiguous);
            first = (first + contiguous) % bytes.capacity();
            availableBytes -= contiguous;
            moved += contiguous;
        }
        return moved;
    }

    void wipe() {
        wipe(bytes, 0, bytes.capacity());
        availableBytes = 0;
    }

    /** Overwrites a part of a buffer with zeros. */
    static void wipe(ByteBuffer buffer, int from, int length) {
        for (int done = 0; done < length; done += ZEROS.capacity()) {
            buffer.put(from + done, ZEROS, 0, Math.min(ZEROS.capacity(), length - done));
        }
    }
}
