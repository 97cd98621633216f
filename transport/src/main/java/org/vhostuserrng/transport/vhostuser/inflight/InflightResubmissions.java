package org.vhostuserrng.transport.vhostuser.inflight;

import java.lang.foreign.MemorySegment;

/**
 * The requests that a predecessor left in flight, in the order in which they were popped. Keeps only the next
 * {@link #MAX_KEPT} of them and reads the region again when these are done: the front-end chooses the contents of the
 * region, and with them what each of its guests would cost. Whatever the region contains then, every entry is in its
 * range. Confined to the loop's thread.
 */
final class InflightResubmissions {
    private static final int MAX_KEPT = 256;
    private static final char[] NONE = {};

    private final MemorySegment entries;
    private final int wordsPerEntry;
    private final int entryCount;
    /** The first entries of the next requests, from {@link #next} on. */
    private char[] kept = NONE;

    private int next;
    private int left;
    /** The last one of {@link #kept}, and its counter. */
    private int lastEntry = -1;

    private long lastCounter;

    /**
     * Creates an instance without requests.
     *
     * @param entries the region's entries that belong to the virtqueue
     */
    InflightResubmissions(MemorySegment entries, int wordsPerEntry) {
        this.entries = entries;
        this.wordsPerEntry = wordsPerEntry;
        this.entryCount = (int) (entries.byteSize() / Long.BYTES / wordsPerEntry);
    }

    /**
     * Begins with all requests that are in flight.
     *
     * @param words the entries
     * @param inflight the result of {@link InflightRegion#inflightEntries}
     */
    void begin(long[] words, int[] inflight) {
        left = inflight.length;
        keepNext(words, inflight);
    }

    private void keepNext(long[] words, int[] inflight) {
        int first = 0;
        while (first < inflight.length && !isAfterLast(words, inflight[first])) {
            first++;
        }
        left = Math.min(left, inflight.length - first);
        next = 0;
        kept = left == 0 ? NONE : new char[Math.min(left, MAX_KEPT)];
        for (int i = 0; i < kept.length; i++) {
            lastEntry = inflight[first + i];
            kept[i] = (char) lastEntry;
        }
        lastCounter = left == 0 ? 0 : counter(words, lastEntry);
    }

    /** Whether an entry follows the last one that was kept. Entries with equal counters are ordered by index. */
    private boolean isAfterLast(long[] words, int entry) {
        int compared = Long.compareUnsigned(counter(words, entry), lastCounter);
        return compared > 0 || (compared == 0 && entry > lastEntry);
    }

    private long counter(long[] words, int entry) {
        return words[entry * wordsPerEntry + InflightRegion.COUNTER_WORD];
    }

    boolean hasNext() {
        return left > 0;
    }

    /** The number of requests left. */
    int left() {
        return left;
    }

    /** The first entry of the next request. */
    int head() {
        return kept[next];
    }

    /** Moves to the following request. Returns false if there was none left. */
    boolean advance() {
        if (left == 0) {
            return false;
        }
        left--;
        next++;
        if (left == 0) {
            kept = NONE;
        } else if (next == kept.length) {
            long[] words = InflightRegion.readWords(entries);
            keepNext(words, InflightRegion.inflightEntries(words, wordsPerEntry, entryCount));
        }
        return true;
    }
}
