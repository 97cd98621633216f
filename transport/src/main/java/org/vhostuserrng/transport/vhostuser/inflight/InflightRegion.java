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
 * The part of an inflight buffer that belongs to one vring (vhost-user, "Inflight I/O tracking"), and the header that
 * QueueRegionSplit and QueueRegionPacked share. Confined to the loop's thread.
 *
 * @param bytes aligned to 64 bytes, all zero before its first use; accesses may fail in the same way as accesses to
 *     guest memory
 * @param queueSize the maximum Queue Size of the region: desc_num
 */
public record InflightRegion(MemorySegment bytes, int queueSize) implements InflightTrackerFactory {
    // Host byte order in the document; this program runs on little-endian hosts only.
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // uint64_t features; uint16_t version; uint16_t desc_num;
    private static final long FEATURES = 0;
    private static final long VERSION = 8;
    private static final long DESC_NUM = 10;

    /** The version of a region that has not been used yet. */
    private static final short VERSION_UNUSED = 0;

    private static final short VERSION_1 = 1;

    // Both kinds of entries begin with uint8_t inflight in the first word; the second word is uint64_t counter.
    private static final int INFLIGHT_MASK = 0xff;
    static final int COUNTER_WORD = 1;
    private static final int DIGIT_BITS = 8;
    private static final int MAX_DIGIT = (1 << DIGIT_BITS) - 1;

    /**
     * The size of a region in bytes.
     *
     * @param features the features that the driver accepted
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
     * Whether a predecessor has left a record.
     *
     * @param size Queue Size of the virtqueue
     * @throws InvalidVirtqueueException if the record has an unknown version or another queue size
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
     * Marks the region as used. The rest of the region must already be initialized, because a successor relies on it
     * from now on.
     */
    void begin() {
        bytes.set(U64, FEATURES, 0);
        bytes.set(U16, DESC_NUM, (short) queueSize);
        VarHandle.releaseFence();
        bytes.set(U16, VERSION, VERSION_1);
    }

    /** Reads entries as words, in one copy: with 32768 entries, separate reads would delay other guests. */
    static long[] readWords(MemorySegment entries) {
        return entries.toArray(U64);
    }

    /** Writes entries as words, in one copy. */
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
     * The indices of the in-flight entries, in the order in which they were popped.
     *
     * @param words the entries
     * @param wordsPerEntry their size in words
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
     * One pass of a radix sort by counter. The sort is linear, because there may be 32768 entries and other guests
     * wait.
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
