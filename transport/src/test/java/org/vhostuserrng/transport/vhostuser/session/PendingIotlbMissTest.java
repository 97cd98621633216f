package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;

class PendingIotlbMissTest {
    private static final long MILLI = 1_000_000;
    private static final long IOVA = 0x7000;

    private final PendingIotlbMiss miss =
            new PendingIotlbMiss(new SessionIommu(new RateLimitedGuestLog("guest", () -> 0)));

    private long request(long now) {
        return miss.request(IOVA, Iotlb.WRITE, now);
    }

    @Test
    void retriesAtIntervalsThatDoubleUpToASecond() {
        long[] waits = new long[8];
        long now = 0;
        for (int i = 0; i < waits.length; i++) {
            waits[i] = (request(now) - now) / MILLI;
            now += waits[i] * MILLI;
        }

        assertEquals("[20, 40, 80, 160, 320, 640, 1000, 1000]", Arrays.toString(waits));
    }

    @Test
    void doesNotRetryEarly() {
        long retryAt = request(0);

        assertEquals(retryAt, request(retryAt - 1));
    }

    @Test
    void doesNotRequestAnotherEntryMeanwhile() {
        long retryAt = request(0);

        assertEquals(retryAt, miss.request(IOVA + 0x1000, Iotlb.WRITE, MILLI));

        assertFalse(miss.isIn(IOVA + 0x1000, IOVA + 0x1fff));
    }

    @Test
    void requestsTheNextEntryAtOnceAfterAnAnswer() {
        request(0);
        miss.cancel();

        assertEquals(21 * MILLI, request(MILLI));
    }

    @Test
    void matchesARangeThatContainsIt() {
        request(0);

        assertTrue(miss.isIn(0, -1));
        assertTrue(miss.isIn(IOVA, IOVA));
        assertFalse(miss.isIn(IOVA + 1, -1));
        assertFalse(miss.isIn(0, IOVA - 1));
    }
}
