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
        int asked = 0;
        for (int length = requests.next(); length > 0; length = requests.next()) {
            requests.asked(length);
            asked += length;
        }
        return asked;
    }

    @Test
    void newConnectionIsAskedForLittle() {
        assertEquals(EgdRequestWindow.NARROWEST_WINDOW, fillWindow(0));
    }

    @Test
    void fastServerIsAskedForMuch() {
        for (int i = 0; i < 20; i++) {
            fillWindow(i * MILLI);
            requests.arrived(requests.outstanding() / 2 + 1);
        }
        fillWindow(20 * MILLI);

        assertTrue(requests.outstanding() > EgdRequestWindow.WIDEST_WINDOW - EgdRequestWindow.LARGEST);
        assertTrue(requests.outstanding() <= EgdRequestWindow.WIDEST_WINDOW);
    }

    @Test
    void serverThatBecomesSlowIsAskedForLittleAgain() {
        long now = 0;
        for (int i = 0; i < 40; i++) {
            now += i < 20 ? MILLI : 1000 * MILLI;
            fillWindow(now);
            requests.arrived(requests.outstanding());
        }

        assertEquals(EgdRequestWindow.NARROWEST_WINDOW, fillWindow(now + 1000 * MILLI));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void wholeRepliesAndAPartAreWhatHasArrived(long seed) {
        Random random = new Random(seed);
        long now = 0;
        int arrived = 0;
        int whole = 0;
        for (int i = 0; i < 100_000; i++) {
            now += random.nextInt(1000) * MILLI;
            if (requests.isLow()) {
                fillWindow(now);
            }
            int bytes = 1 + random.nextInt(requests.outstanding());
            arrived += bytes;
            whole += requests.arrived(bytes);

            assertEquals(arrived - whole, requests.partial());
            assertTrue(requests.partial() < EgdRequestWindow.LARGEST);
        }
    }
}
