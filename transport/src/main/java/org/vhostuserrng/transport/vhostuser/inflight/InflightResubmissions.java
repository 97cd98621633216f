package org.vhostuserrng.transport.vhostuser.inflight;

import java.lang.foreign.MemorySegment;

/**
 * The requests that a previous process left in flight, in the order in which they were popped. Stores only the next
 * {@link #MAX_KEPT} of them, and reads the region again after these, because the front-end chooses the contents of the
 * region and could otherwise make each guest use a lot of heap memory. The front-end may change the region meanwhile;
 * every returned entry is in range even then. Confined to the loop's thread.
 */
final class InflightResubmissions {
    private static final int MAX_KEPT = 256;
    private static final char[] NONE = {};

    private final MemorySegment entries;
    private final int wordsPerEntry;
    private final int entryCount;
    /**
     * The indices of the first entries of the next requests. {@link #next} is the index of the next one in this array.
     */
    private char[] kept = NONE;

    private int next;
    private int left;
    /** The last entry in {@link #kept}, whose counter is {@link #lastCounter}; −1 if there is none. */
    private int lastEntry = -1;

    private long lastCounter;

    /**
     * Creates an instance without requests.
     *
     * @param entries the entries of the region that the virtqueue uses
     * @param wordsPerEntry the size of an entry in words
     */
    InflightResubmissions(MemorySegment entries, int wordsPerEntry) {
        this.entries = entries;
        this.wordsPerEntry = wordsPerEntry;
        this.entryCount = (int) (entries.byteSize() / Long.BYTES / wordsPerEntry);
    }

    /**
     * Sets the requests to all those that are in flight.
     *
     * @param words the entries, from {@link InflightRegion#readWords}
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

    /**
     * Returns whether an entry is after the last one in {@link #kept}. Entries with equal counters are ordered by
     * index.
     */
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

    /** The number of requests that are left. */
    int left() {
        return left;
    }

    /** The index of the first entry of the next request. */
    int head() {
        return kept[next];
    }

    /** Advances to the following request. Returns false if no request was left. */
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
