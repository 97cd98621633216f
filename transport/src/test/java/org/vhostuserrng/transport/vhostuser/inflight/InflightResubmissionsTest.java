package org.vhostuserrng.transport.vhostuser.inflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests with more in-flight requests than are stored at a time. */
class InflightResubmissionsTest {
    private static final int ENTRIES = 1000;
    private static final int WORDS = 2;
    /** Maximum number of requests that are published together, less than those that are stored at a time. */
    private static final int BATCH = 50;

    private final long[] words = new long[ENTRIES * WORDS];
    private final MemorySegment entries = MemorySegment.ofArray(words);
    private final InflightResubmissions resubmissions = new InflightResubmissions(entries, WORDS);

    private int[] begin(int distinctCounters) {
        Random random = new Random(distinctCounters);
        for (int entry = 0; entry < ENTRIES; entry++) {
            words[entry * WORDS] = random.nextInt(10) == 0 ? 0 : 1;
            words[entry * WORDS + 1] = random.nextInt(distinctCounters) - 3L;
        }
        int[] inflight = InflightRegion.inflightEntries(words, WORDS, ENTRIES);
        resubmissions.begin(words, inflight);
        return inflight;
    }

    private void assertResubmits(int[] inflight) {
        for (int i = 0; i < inflight.length; i++) {
            assertEquals(inflight.length - i, resubmissions.left());
            assertEquals(inflight[i], resubmissions.head());
            assertTrue(resubmissions.advance());
            if (i >= BATCH) {
                entries.set(ValueLayout.JAVA_BYTE, (long) inflight[i - BATCH] * WORDS * Long.BYTES, (byte) 0);
            }
        }
        assertFalse(resubmissions.hasNext());
        assertFalse(resubmissions.advance());
    }

    @Test
    void resubmitsAllRequestsInTheOrderOfTheirCounters() {
        assertResubmits(begin(Integer.MAX_VALUE));
    }

    @Test
    void resubmitsRequestsWithEqualCountersInTheOrderOfTheirEntries() {
        assertResubmits(begin(3));
    }

    @Test
    void endsEarlyIfTheRequestsVanishFromTheRegion() {
        int requests = begin(ENTRIES).length;
        entries.fill((byte) 0);

        int resubmitted = 0;
        while (resubmissions.advance()) {
            resubmitted++;
        }

        assertTrue(resubmitted < requests, resubmitted + " of " + requests);
    }
}
