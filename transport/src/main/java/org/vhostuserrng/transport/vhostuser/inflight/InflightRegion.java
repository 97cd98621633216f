package org.vhostuserrng.transport.vhostuser.inflight;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.vhostuserrng.transport.virtio.InflightTrackerFactory;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.PackedInflightTracker;
import org.vhostuserrng.transport.virtio.SplitInflightTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The region of an inflight buffer for one vring (vhost-user, "Inflight I/O tracking"). This type reads and writes the
 * header, which is the same in QueueRegionSplit and QueueRegionPacked. Confined to the loop's thread.
 *
 * @param bytes the region, aligned to 64 bytes, all zeros before its first use; accesses may fail in the same way as
 *     accesses to guest memory
 * @param queueSize the number of entries of the region (desc_num): the maximum Queue Size of the vring
 */
public record InflightRegion(MemorySegment bytes, int queueSize) implements InflightTrackerFactory {
    // vhost-user specifies native byte order. Little-endian, because this program runs on little-endian hosts only.
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // The header: uint64_t features; uint16_t version; uint16_t desc_num;
    private static final long FEATURES = 0;
    private static final long VERSION = 8;
    private static final long DESC_NUM = 10;

    /** The version of a region that has not been used yet. */
    private static final short VERSION_UNUSED = 0;

    private static final short VERSION_1 = 1;

    // DescStateSplit and DescStatePacked: the first byte of the first word is inflight; the second word is counter.
    private static final int INFLIGHT_MASK = 0xff;
    static final int COUNTER_WORD = 1;
    private static final int DIGIT_BITS = 8;
    private static final int MAX_DIGIT = (1 << DIGIT_BITS) - 1;

    /**
     * Returns the size of a region in bytes.
     *
     * @param features the feature bits that the driver accepted
     * @param queueSize 1 to {@link VirtioConstants#MAX_QUEUE_SIZE}
     */
    public static long bytesFor(long features, int queueSize) {
        boolean packed = (features & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
        return packed ? PackedInflightRegion.bytesFor(queueSize) : SplitInflightRegion.bytesFor(queueSize);
    }

    @Override
    public SplitInflightTracker openSplit(int size, int usedIdx, IntUnaryOperator headAt)
            throws InvalidVirtqueueException {
        return SplitInflightRegion.open(this, size, usedIdx, headAt);
    }

    @Override
    public PackedInflightTracker openPacked(MemorySegment ring, int size, int nextUsed)
            throws InvalidVirtqueueException {
        return PackedInflightRegion.open(this, ring, size, nextUsed);
    }

    /**
     * Returns whether a previous process has left a record in the region.
     *
     * @param size Queue Size of the virtqueue
     * @throws InvalidVirtqueueException if the record has an unknown version or another desc_num, or if the region is
     *     too small for the virtqueue
     */
    boolean hasPredecessor(int size) throws InvalidVirtqueueException {
        if (size > queueSize) {
            throw new InvalidVirtqueueException(
                    "inflight region for " + queueSize + " descriptors, of a queue of " + size);
        }
        short version = bytes.get(U16, VERSION);
        if (version == VERSION_UNUSED) {
            return false;
        }
        if (version != VERSION_1 || bytes.get(U64, FEATURES) != 0) {
            throw new InvalidVirtqueueException(
                    "inflight region of version " + version + ", expected 1 without features");
        }
        int descNum = Short.toUnsignedInt(bytes.get(U16, DESC_NUM));
        if (descNum != queueSize) {
            throw new InvalidVirtqueueException("inflight region with desc_num " + descNum + ", not " + queueSize);
        }
        return true;
    }

    /**
     * Marks the region as used. The rest of the region must already be initialized, because the next process will rely
     * on it.
     */
    void begin() {
        bytes.set(U64, FEATURES, 0);
        bytes.set(U16, DESC_NUM, (short) queueSize);
        VarHandle.releaseFence();
        bytes.set(U16, VERSION, VERSION_1);
    }

    /**
     * Copies all entries into an array at once: with 32768 entries, separate reads would take long and delay other
     * guests.
     */
    static long[] readWords(MemorySegment entries) {
        return entries.toArray(U64);
    }

    /** Copies an array into the entries at once, as in {@link #readWords}. */
    static void writeWords(MemorySegment entries, long[] words) {
        MemorySegment.copy(words, 0, entries, U64, 0, words.length);
    }

    private static boolean isInflight(long firstWord) {
        return (firstWord & INFLIGHT_MASK) == 1;
    }

    static long withoutInflight(long firstWord) {
        return firstWord & ~INFLIGHT_MASK;
    }

    /**
     * Returns the indices of the in-flight entries, in the order in which their requests were popped.
     *
     * @param words the entries, from {@link #readWords}
     * @param wordsPerEntry the size of an entry in words
     * @param entries the number of entries to search
     */
    static int[] inflightEntries(long[] words, int wordsPerEntry, int entries) {
        int[] found = new int[entries];
        int count = 0;
        long differing = 0;
        for (int entry = 0; entry < entries; entry++) {
            int at = entry * wordsPerEntry;
            if (isInflight(words[at])) {
                found[count++] = entry;
                differing |= words[at + COUNTER_WORD] ^ words[found[0] * wordsPerEntry + COUNTER_WORD];
            }
        }
        int[] sorted = Arrays.copyOf(found, count);
        for (int shift = 0; shift < Long.SIZE; shift += DIGIT_BITS) {
            if ((differing >>> shift & MAX_DIGIT) != 0) {
                sorted = sortedByDigit(sorted, words, wordsPerEntry, shift);
            }
        }
        return sorted;
    }

    /**
     * One pass of a radix sort of entries by counter. The sort takes linear time, because there may be 32768 entries,
     * and other guests wait meanwhile.
     */
    private static int[] sortedByDigit(int[] entries, long[] words, int wordsPerEntry, int shift) {
        int[] offsets = new int[MAX_DIGIT + 2];
        for (int entry : entries) {
            offsets[digit(words[entry * wordsPerEntry + COUNTER_WORD], shift) + 1]++;
        }
        for (int digit = 0; digit < MAX_DIGIT; digit++) {
            offsets[digit + 1] += offsets[digit];
        }
        int[] sorted = new int[entries.length];
        for (int entry : entries) {
            sorted[offsets[digit(words[entry * wordsPerEntry + COUNTER_WORD], shift)]++] = entry;
        }
        return sorted;
    }

    private static int digit(long counter, int shift) {
        return (int) (counter >>> shift) & MAX_DIGIT;
    }
}
