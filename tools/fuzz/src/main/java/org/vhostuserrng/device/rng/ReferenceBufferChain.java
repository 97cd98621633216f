package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_WRITE;

import java.util.ArrayList;
import java.util.List;

/** The writable bytes of one request of a {@link ReferenceDeviceRing}: each piece of memory, in order. */
final class ReferenceBufferChain {
    // VIRTIO 1.3 §5.4.6: the device may use less than the buffer. How much is the device's own choice.
    private static final int MOST_BYTES = 65536;
    private static final int MOST_PIECES = 1024;

    private record Piece(int at, int length) {}

    private final List<Piece> pieces = new ArrayList<>();
    private int bytes;

    /** Adds the buffer of a descriptor: whether it may be one. */
    boolean add(long address, int length, int flags) {
        if ((flags & VIRTQ_DESC_F_WRITE) == 0) {
            return false;
        }
        long left = Integer.toUnsignedLong(length);
        long next = address;
        while (left > 0) {
            int at = ReferenceGuestMemory.at(next);
            if (at < 0) {
                return false;
            }
            int piece = (int) Math.min(left, ReferenceGuestMemory.room(at));
            keep(at, piece);
            next += piece;
            left -= piece;
        }
        return true;
    }

    private void keep(int at, int length) {
        int kept = Math.min(length, MOST_BYTES - bytes);
        if (kept > 0 && pieces.size() < MOST_PIECES) {
            pieces.add(new Piece(at, kept));
            bytes += kept;
        }
    }

    /** How many bytes can be written. */
    int bytes() {
        return bytes;
    }

    /** Whether another one has the same bytes of memory, in the same pieces. */
    boolean isSameAs(ReferenceBufferChain other) {
        return other != null && pieces.equals(other.pieces);
    }

    /**
     * Writes what the source gave out from a position on.
     *
     * @param from how many bytes to leave as they are
     */
    void fill(ReferenceGuestMemory memory, long given, int from, int length) {
        int at = 0;
        for (Piece piece : pieces) {
            for (int i = 0; i < piece.length(); i++) {
                if (at >= from && at < from + length) {
                    memory.set8(piece.at() + i, FuzzSequenceSource.byteAt(given + at - from));
                }
                at++;
            }
        }
    }
}
