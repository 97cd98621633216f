package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FalsePositiveRateSelectorTest {
    private long now = Long.MAX_VALUE - 5;
    private final FalsePositiveRateSelector rate = new FalsePositiveRateSelector(() -> now);

    private void addForAMinute(int samplesPerSecond) {
        for (int second = 0; second < 60; second++) {
            now += TimeUnit.SECONDS.toNanos(1);
            rate.addSamples(samplesPerSecond);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 30", "10, 34", "100, 37", "1024, 40", "1000000, 40"})
    void healthySourceFailsOnceIn34YearsUpTo1024SamplesPerSecond(int samplesPerSecond, int minusLog2Alpha) {
        addForAMinute(samplesPerSecond);

        assertEquals(minusLog2Alpha, rate.minusLog2Alpha());
    }

    @Test
    void alphaIsTheSmallestUntilTheRateIsMeasured() {
        rate.addSamples(1);

        assertEquals(40, rate.minusLog2Alpha());
    }

    @Test
    void alphaFallsAtOnceWhenTheSourceBecomesFaster() {
        addForAMinute(1);

        rate.addSamples(1024 * 60);

        assertEquals(40, rate.minusLog2Alpha());
    }

    @Test
    void slowMinuteDoesNotRaiseAlpha() {
        addForAMinute(1024);

        addForAMinute(1);

        assertEquals(40, rate.minusLog2Alpha());
    }

    @Test
    void expectedTimeIsInverseToTheRate() {
        addForAMinute(1 << 20);

        assertEquals(1 << 20, TimeUnit.NANOSECONDS.toSeconds(rate.expectedNanosBetween(0x1p-40)));
    }

    @Test
    void expectedTimeOfASourceWithoutSamplesIsUnlimited() {
        assertTrue(rate.expectedNanosBetween(0x1p-40) > TimeUnit.DAYS.toNanos(100 * 365));
    }
}
