package org.vhostuserrng.backends.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EgdRequestWindowTest {
    private static final long MILLI = 1_000_000;

    private final EgdRequestWindow requests = new EgdRequestWindow();

    private int fillWindow(long now) {
        requests.adapt(now);
        int requested = 0;
        for (int length = requests.nextRequestBytes(); length > 0; length = requests.nextRequestBytes()) {
            requests.requested(length);
            requested += length;
        }
        return requested;
    }

    @Test
    void startsWithMinWindow() {
        assertEquals(EgdRequestWindow.MIN_WINDOW_BYTES, fillWindow(0));
    }

    @Test
    void windowGrowsForFastServer() {
        for (int i = 0; i < 20; i++) {
            fillWindow(i * MILLI);
            requests.received(requests.outstanding() / 2 + 1);
        }
        fillWindow(20 * MILLI);

        assertTrue(requests.outstanding() > EgdRequestWindow.MAX_WINDOW_BYTES - EgdRequestWindow.MAX_REQUEST_BYTES);
        assertTrue(requests.outstanding() <= EgdRequestWindow.MAX_WINDOW_BYTES);
    }

    @Test
    void windowShrinksForSlowServer() {
        long now = 0;
        for (int i = 0; i < 40; i++) {
            now += i < 20 ? MILLI : 1000 * MILLI;
            fillWindow(now);
            requests.received(requests.outstanding());
        }

        assertEquals(EgdRequestWindow.MIN_WINDOW_BYTES, fillWindow(now + 1000 * MILLI));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void neverRequestsMoreThanTheLargestWindow(long seed) {
        Random random = new Random(seed);
        long now = 0;
        for (int i = 0; i < 100_000; i++) {
            now += random.nextInt(1000) * MILLI;
            if (requests.needsRefill()) {
                fillWindow(now);
            }
            assertTrue(requests.outstanding() <= EgdRequestWindow.MAX_WINDOW_BYTES);
            requests.received(1 + random.nextInt(requests.outstanding()));
        }
    }
}
