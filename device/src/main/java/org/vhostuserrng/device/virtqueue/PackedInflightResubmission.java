package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * The lists of descriptors that a predecessor took from a packed virtqueue and did not use, in the order in which it
 * took them: copies, as the descriptors in the ring may have been overwritten by used ones.
 */
final class PackedInflightResubmission {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // §2.8.13: struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; }, in words.
    private static final int ID_SHIFT = 32;
    private static final int FLAGS_SHIFT = 48;

    /**
     * A list.
     *
     * @param head its first entry in the record of the requests under way
     * @param begin which of the copies is its first
     */
    private record Resubmission(int head, int begin, int length) {}

    private final int size;
    private final List<Resubmission> lists = new ArrayList<>();
    /** The descriptors that were added, two words each; null while there is none. */
    private long[] words;
    /** Native memory like the ring's, for the sake of the code that walks both; null if there is no list. */
    private MemorySegment copies;

    private int copied;
    private int done;

    /** None yet, of a virtqueue of this size. */
    PackedInflightResubmission(int size) {
        this.size = size;
    }

    /** Begins a list of this many descriptors, which are added next; together at most the virtqueue's size. */
    void begin(int head, int length) {
        if (words == null) {
            words = new long[2 * size];
        }
        lists.add(new Resubmission(head, copied, length));
    }

    void add(long address, int length, int id, int flags) {
        // As if it were of the first round, whatever round it is of.
        int available = (flags & ~VirtioSpec.VIRTQ_DESC_F_USED) | VirtioSpec.VIRTQ_DESC_F_AVAIL;
        words[2 * copied] = address;
        words[2 * copied + 1] =
                Integer.toUnsignedLong(length) | (long) id << ID_SHIFT | (long) available << FLAGS_SHIFT;
        copied++;
    }

    /** All lists have been added. */
    void complete() {
        if (words != null) {
            copies = Arena.ofAuto().allocate((long) size * VirtioSpec.DESCRIPTOR_BYTES, VirtioSpec.DESCRIPTOR_BYTES);
            MemorySegment.copy(words, 0, copies, LE64, 0, words.length);
            words = null;
        }
    }

    /** How many descriptors there are in all the lists. */
    int descriptors() {
        return copied;
    }

    /** Over the copies; null if there are none. */
    PackedDescriptorChainReader walk(VirtqueueAddressSpace memory, boolean indirectAllowed) {
        return copies == null ? null : new PackedDescriptorChainReader(copies, size, memory, indirectAllowed);
    }

    boolean hasNext() {
        return done < lists.size();
    }

    /** Collects the buffers of the next list, with a {@link #walk}: null, or what is wrong with it. */
    VirtqueueFault collect(PackedDescriptorChainReader walk, ScatterGatherList chain) {
        Resubmission next = lists.get(done);
        long flags = (long) next.begin() * VirtioSpec.DESCRIPTOR_BYTES + PackedDescriptorChainReader.FLAGS;
        int firstFlags = Short.toUnsignedInt(copies.get(LE16, flags));
        return walk.collect(next.begin(), true, firstFlags, next.length(), chain);
    }

    /** The first entry of the next list in the record of the requests under way. */
    int head() {
        return lists.get(done).head();
    }

    /** Goes on to the list after the next, if there is a next one: whether there was. */
    boolean advance() {
        if (!hasNext()) {
            return false;
        }
        done++;
        return true;
    }
}
