package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;

/**
 * Fills the buffers of a request from its beginning. Pieces of some size are filled in place; runs of small ones get
 * their bytes from one call of the source, by way of a staging area that is wiped: a driver that cuts its buffer into
 * single bytes does not cost a system call for each.
 */
final class EntropyBufferFiller {
    private static final int SMALL = 256;

    private final EntropySource source;
    private final ScatterGatherList chain;
    private final MemorySegment staging;
    private int touched;

    EntropyBufferFiller(EntropySource source, SharedRequestScratch workspace) {
        this.source = source;
        this.chain = workspace.chain();
        this.staging = workspace.staging();
    }

    /**
     * Fills.
     *
     * @param from how many bytes to leave as they are, fewer than there are
     * @param most at least 1
     * @return how many bytes have been written, 1 to {@code most}; or, if none, why: a constant of EntropySource
     */
    int fill(int from, int most) {
        int filled = 0;
        int piece = 0;
        int within = from;
        while (within >= chain.length(piece)) {
            within -= chain.length(piece);
            piece++;
        }
        int first = piece;
        while (filled < most) {
            int room = Math.min(chain.length(piece) - within, most - filled);
            boolean inPlace = room >= SMALL || piece == chain.pieces() - 1;
            int got = inPlace
                    ? source.fill(chain.segment(piece), chain.offset(piece) + within, room)
                    : fillSmall(piece, within, most - filled);
            if (got <= 0) {
                return filled > 0 && got != EntropySource.TARGET_FAULT ? filled : got;
            }
            filled += got;
            within += got;
            while (piece < chain.pieces() && within >= chain.length(piece)) {
                within -= chain.length(piece);
                piece++;
            }
            touched = within > 0 ? piece - first + 1 : piece - first;
        }
        return filled;
    }

    /** How many pieces the last {@link #fill} that was no failure has written to. */
    int touched() {
        return touched;
    }

    /** Fills a run of small pieces, the first one from {@code within} on: as {@link EntropySource#fill}. */
    private int fillSmall(int piece, int within, int most) {
        int wanted = Math.min(Math.min(runOfSmall(piece) - within, most), SharedRequestScratch.STAGING_BYTES);
        int got = source.fill(staging, 0, wanted);
        if (got <= 0) {
            return got;
        }
        try {
            scatter(piece, within, got);
        } finally {
            staging.fill((byte) 0);
        }
        return got;
    }

    private int runOfSmall(int first) {
        int bytes = 0;
        for (int piece = first; piece < chain.pieces() && chain.length(piece) < SMALL; piece++) {
            bytes += chain.length(piece);
        }
        return Math.max(bytes, chain.length(first));
    }

    private void scatter(int first, int within, int bytes) {
        int offset = within;
        int piece = first;
        for (int done = 0; done < bytes; piece++) {
            int part = Math.min(chain.length(piece) - offset, bytes - done);
            MemorySegment.copy(staging, done, chain.segment(piece), chain.offset(piece) + offset, part);
            done += part;
            offset = 0;
        }
    }
}
