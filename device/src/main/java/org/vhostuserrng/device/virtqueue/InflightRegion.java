package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;

/** How QueueRegionSplit and QueueRegionPacked begin (vhost-user, "Inflight I/O tracking"). */
final class InflightRegion {
    // The machine's own order in the document; the hosts this runs on are little-endian.
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // uint64_t features; uint16_t version; uint16_t desc_num;
    private static final long FEATURES = 0;
    private static final long VERSION = 8;
    private static final long DESC_NUM = 10;

    /** Zero stands for a region that nobody has used. */
    private static final short UNUSED = 0;

    private static final short VERSION_1 = 1;

    // Entries of both kinds begin with uint8_t inflight, in the first word, and have uint64_t counter for the second
    // one.
    private static final int INFLIGHT = 0xff;
    private static final int COUNTER_WORD = 1;
    private static final int DIGIT_BITS = 8;
    private static final int MOST_DIGIT = (1 << DIGIT_BITS) - 1;

    private InflightRegion() {}

    /**
     * Whether a predecessor has left its record.
     *
     * @param size of the virtqueue
     * @throws InvalidVirtqueueException if it is of a kind that is not known here, or for other virtqueues
     */
    static boolean hasPredecessor(InflightArea area, int size) throws InvalidVirtqueueException {
        if (size > area.queueSize()) {
            throw new InvalidVirtqueueException(
                    "inflight region for " + area.queueSize() + " descriptors, of a queue of " + size);
        }
        MemorySegment region = area.bytes();
        short version = region.get(U16, VERSION);
        if (version == UNUSED) {
            return false;
        }
        if (version != VERSION_1 || region.get(U64, FEATURES) != 0) {
            throw new InvalidVirtqueueException(
                    "inflight region of version " + version + ", expected 1 without features");
        }
        int descNum = Short.toUnsignedInt(region.get(U16, DESC_NUM));
        if (descNum != area.queueSize()) {
            throw new InvalidVirtqueueException(
                    "inflight region with desc_num " + descNum + ", not " + area.queueSize());
        }
        return true;
    }

    /** The words of entries. A successor is to go on at once, however many there are: so in one piece. */
    static long[] words(MemorySegment entries) {
        return entries.toArray(U64);
    }

    /** Writes the words of entries, in one piece. */
    static void setWords(MemorySegment entries, long[] words) {
        MemorySegment.copy(words, 0, entries, U64, 0, words.length);
    }

    private static boolean isUnderWay(long firstWord) {
        return (firstWord & INFLIGHT) == 1;
    }

    static long withoutInflight(long firstWord) {
        return firstWord & ~INFLIGHT;
    }

    /**
     * The entries under way, in the order in which they were taken.
     *
     * @param words of entries, of as many words each
     * @param entries how many to look at
     */
    static int[] underWay(long[] words, int wordsEach, int entries) {
        int[] found = new int[entries];
        int count = 0;
        long differing = 0;
        for (int entry = 0; entry < entries; entry++) {
            int at = entry * wordsEach;
            if (isUnderWay(words[at])) {
                found[count++] = entry;
                differing |= words[at + COUNTER_WORD] ^ words[found[0] * wordsEach + COUNTER_WORD];
            }
        }
        int[] sorted = Arrays.copyOf(found, count);
        for (int shift = 0; shift < Long.SIZE; shift += DIGIT_BITS) {
            if ((differing >>> shift & MOST_DIGIT) != 0) {
                sorted = sortedByDigit(sorted, words, wordsEach, shift);
            }
        }
        return sorted;
    }

    /** A pass of a radix sort, by a digit of the counters: there may be 32768 of them, and other guests wait. */
    private static int[] sortedByDigit(int[] entries, long[] words, int wordsEach, int shift) {
        int[] places = new int[MOST_DIGIT + 2];
        for (int entry : entries) {
            places[digit(words[entry * wordsEach + COUNTER_WORD], shift) + 1]++;
        }
        for (int digit = 0; digit < MOST_DIGIT; digit++) {
            places[digit + 1] += places[digit];
        }
        int[] sorted = new int[entries.length];
        for (int entry : entries) {
            sorted[places[digit(words[entry * wordsEach + COUNTER_WORD], shift)]++] = entry;
        }
        return sorted;
    }

    private static int digit(long counter, int shift) {
        return (int) (counter >>> shift) & MOST_DIGIT;
    }

    /** The rest of the region is as it has to be in the beginning: a successor may rely on it from now on. */
    static void begin(InflightArea area) {
        MemorySegment region = area.bytes();
        region.set(U64, FEATURES, 0);
        region.set(U16, DESC_NUM, (short) area.queueSize());
        VarHandle.releaseFence();
        region.set(U16, VERSION, VERSION_1);
    }
}
