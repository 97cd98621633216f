package org.vhostuserrng.transport.vhostuser.inflight;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The descriptor chains that a predecessor popped from a packed virtqueue and left in flight, in the order in which
 * they were popped. They are copies, because used descriptors may have overwritten the descriptors in the ring.
 */
final class PackedInflightResubmissions {
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // VIRTIO 1.3 §2.8.13: struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; } in two words.
    private static final int ID_SHIFT = 32;
    private static final int FLAGS_SHIFT = 48;

    private final int queueSize;
    /** Per chain: its first entry in the inflight region, its first descriptor in the copies, its length. */
    private char[] heads;

    private char[] begins;
    private char[] lengths;
    private int chains;
    /** The descriptors added so far, two words each; null while there are none. */
    private long[] words;
    /** Native memory, like the ring, so that the same reader can read both. Null if there is no chain. */
    private MemorySegment descriptors;

    private int descriptorCount;
    private int done;

    /** Creates an instance without chains, for a virtqueue of this size. */
    PackedInflightResubmissions(int queueSize) {
        this.queueSize = queueSize;
    }

    /**
     * Begins a chain of {@code length} descriptors, which are added next. All chains together must fit the Queue Size.
     */
    void beginChain(int head, int length) {
        if (words == null) {
            words = new long[2 * queueSize];
            heads = new char[queueSize];
            begins = new char[queueSize];
            lengths = new char[queueSize];
        }
        heads[chains] = (char) head;
        begins[chains] = (char) descriptorCount;
        lengths[chains] = (char) length;
        chains++;
    }

    void addDescriptor(long address, int length, int id, int flags) {
        // Marks the descriptor as available in the first round, regardless of its round in the ring.
        int available = (flags & ~VirtioConstants.VIRTQ_DESC_F_USED) | VirtioConstants.VIRTQ_DESC_F_AVAIL;
        words[2 * descriptorCount] = address;
        words[2 * descriptorCount + 1] =
                Integer.toUnsignedLong(length) | (long) id << ID_SHIFT | (long) available << FLAGS_SHIFT;
        descriptorCount++;
    }

    /** Must be called when all chains have been added. */
    void complete() {
        if (words != null) {
            descriptors = Arena.ofAuto()
                    .allocate((long) queueSize * VirtioConstants.DESCRIPTOR_BYTES, VirtioConstants.DESCRIPTOR_BYTES);
            MemorySegment.copy(words, 0, descriptors, LE64, 0, words.length);
            words = null;
        }
    }

    /** A descriptor ring that contains the chains; null if there are none. */
    MemorySegment descriptors() {
        return descriptors;
    }

    int descriptorCount() {
        return descriptorCount;
    }

    boolean hasNext() {
        return done < chains;
    }

    /** The first entry of the next chain in the inflight region. */
    int head() {
        return heads[done];
    }

    /** The first descriptor of the next chain in {@link #descriptors}. */
    int begin() {
        return begins[done];
    }

    /** The number of descriptors in the next chain. */
    int length() {
        return lengths[done];
    }

    /** Moves to the following chain. Returns false if there was no chain left. */
    boolean advance() {
        if (!hasNext()) {
            return false;
        }
        done++;
        return true;
    }
}
