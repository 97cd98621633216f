package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;

/**
 * Fills the buffers of a request with random bytes. The source writes directly to large segments. Consecutive small
 * segments get their bytes from one call of the source, through a staging buffer that is wiped afterwards: otherwise a
 * chain of one-byte buffers would need a system call per byte. Confined to the loop's thread.
 */
final class EntropyBufferFiller {
    /** Size in bytes below which a segment is filled through the staging buffer. */
    private static final int SMALL_BYTES = 256;

    private final EntropySource source;
    private final ScatterGatherList buffers;
    private final MemorySegment staging;
    private int segmentsWritten;

    EntropyBufferFiller(EntropySource source, RequestScratchMemory scratch) {
        this.source = source;
        this.buffers = scratch.buffers();
        this.staging = scratch.staging();
    }

    /**
     * Writes random bytes to the buffers.
     *
     * @param from position in the request of the first byte to write
     * @param limit maximum number of bytes, at least 1
     * @return the number of bytes written, 1 to {@code limit}, or a negative constant of {@link EntropySource}: no byte
     *     was written, except possibly with {@link EntropySource#TARGET_FAULT}
     */
    int fill(int from, int limit) {
        int filled = 0;
        int segment = 0;
        int offset = from;
        while (offset >= buffers.length(segment)) {
            offset -= buffers.length(segment);
            segment++;
        }
        int first = segment;
        while (filled < limit) {
            int room = Math.min(buffers.length(segment) - offset, limit - filled);
            boolean inPlace = room >= SMALL_BYTES || segment == buffers.segments() - 1;
            int got = inPlace
                    ? source.fill(buffers.region(segment), buffers.offset(segment) + offset, room)
                    : fillSmall(segment, offset, limit - filled);
            if (got <= 0) {
                return filled > 0 && got != EntropySource.TARGET_FAULT ? filled : got;
            }
            filled += got;
            offset += got;
            while (segment < buffers.segments() && offset >= buffers.length(segment)) {
                offset -= buffers.length(segment);
                segment++;
            }
            segmentsWritten = offset > 0 ? segment - first + 1 : segment - first;
        }
        return filled;
    }

    /** The number of segments to which the last successful {@link #fill} wrote. */
    int segmentsWritten() {
        return segmentsWritten;
    }

    /**
     * Fills consecutive small segments, the first one from {@code offset}. Returns the result of
     * {@link EntropySource#fill}.
     */
    private int fillSmall(int segment, int offset, int limit) {
        int wanted = Math.min(Math.min(smallBytesFrom(segment) - offset, limit), RequestScratchMemory.STAGING_BYTES);
        int got = source.fill(staging, 0, wanted);
        if (got <= 0) {
            return got;
        }
        try {
            scatter(segment, offset, got);
        } finally {
            staging.fill((byte) 0);
        }
        return got;
    }

    private int smallBytesFrom(int first) {
        int bytes = 0;
        for (int segment = first; segment < buffers.segments() && buffers.length(segment) < SMALL_BYTES; segment++) {
            bytes += buffers.length(segment);
        }
        return Math.max(bytes, buffers.length(first));
    }

    private void scatter(int first, int firstOffset, int bytes) {
        int offset = firstOffset;
        int segment = first;
        for (int done = 0; done < bytes; segment++) {
            int part = Math.min(buffers.length(segment) - offset, bytes - done);
            MemorySegment.copy(staging, done, buffers.region(segment), buffers.offset(segment) + offset, part);
            done += part;
            offset = 0;
        }
    }
}
