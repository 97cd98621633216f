package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE;

import java.util.ArrayList;
import java.util.List;

/** The device-writable memory segments of one request of a {@link ReferenceDeviceRing}, in their order. */
final class ReferenceBufferChain {
    // VIRTIO 1.3 §5.4.6: the device may fill only a part of the buffer. These are the limits of this project's device.
    private static final int MAX_BYTES = 65536;
    private static final int MAX_SEGMENTS = 1024;

    private record Segment(int offset, int length) {}

    private final List<Segment> segments = new ArrayList<>();
    private int bytes;

    /** Adds the memory of a descriptor. Returns false if the descriptor is invalid. */
    boolean add(long address, int length, int flags) {
        if ((flags & VIRTQ_DESC_F_WRITE) == 0) {
            return false;
        }
        long left = Integer.toUnsignedLong(length);
        long next = address;
        while (left > 0) {
            int offset = ReferenceGuestMemory.offsetOf(next);
            if (offset < 0) {
                return false;
            }
            int inRegion = (int) Math.min(left, ReferenceGuestMemory.bytesToRegionEnd(offset));
            addSegment(offset, inRegion);
            next += inRegion;
            left -= inRegion;
        }
        return true;
    }

    private void addSegment(int offset, int length) {
        int used = Math.min(length, MAX_BYTES - bytes);
        if (used > 0 && segments.size() < MAX_SEGMENTS) {
            segments.add(new Segment(offset, used));
            bytes += used;
        }
    }

    /** The number of bytes that the device fills. */
    int bytes() {
        return bytes;
    }

    /** Whether another chain has the same segments; false if {@code other} is null. */
    boolean isSameAs(ReferenceBufferChain other) {
        return other != null && segments.equals(other.segments);
    }

    /**
     * Writes source bytes into the chain.
     *
     * @param sourcePosition index of the first byte in the sequence of all source bytes
     * @param from offset of the first byte in the chain
     */
    void fill(ReferenceGuestMemory memory, long sourcePosition, int from, int length) {
        int position = 0;
        for (Segment segment : segments) {
            for (int i = 0; i < segment.length(); i++) {
                if (position >= from && position < from + length) {
                    memory.set8(segment.offset() + i, SequenceEntropySource.byteAt(sourcePosition + position - from));
                }
                position++;
            }
        }
    }
}
