package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class QuotaTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1000 * MILLI;

    private record Charge(long time, long bytes) {}

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    @Test
    void allowsAllOfMaxBytesAtOnce() {
        Quota quota = new Quota(1024, 1000);

        assertEquals(1024, quota.available(0));
    }

    @Test
    void allowsNothingMoreUntilAPeriodAfterTheCharge() {
        Quota quota = new Quota(1024, 1000);
        quota.charge(0, 1024);

        assertEquals(0, quota.available(SECOND));
    }

    @Test
    void tellsWhenBytesComeBackAndTheyDo() {
        Quota quota = new Quota(1024, 1000);
        quota.charge(5 * MILLI, 1024);

        long refill = quota.nextRefill();

        assertEquals(0, quota.available(refill - 1));
        assertEquals(1024, quota.available(refill));
        assertTrue(refill <= 5 * MILLI + SECOND + 2 * MILLI, "refilled at " + refill);
    }

    @Test
    void givesBackEachPartAPeriodAfterIt() {
        Quota quota = new Quota(100, 1000);
        quota.charge(0, 60);
        quota.charge(500 * MILLI, 40);

        long first = quota.available(SECOND + 2 * MILLI);
        long both = quota.available(SECOND + 502 * MILLI);

        assertEquals(60, first);
        assertEquals(100, both);
    }

    @Test
    void countsThePeriodFromWhenTheBytesCouldBeSeen() {
        Quota quota = new Quota(1024, 1000);
        quota.charge(0, 1024);

        quota.settle(300 * MILLI);

        assertEquals(0, quota.available(SECOND + 300 * MILLI));
        assertEquals(1024, quota.available(SECOND + 302 * MILLI));
    }

    @Test
    void isNeverUsedUpWithoutALimit() {
        Quota quota = new Quota(Quota.UNLIMITED, 1000);

        quota.charge(0, Long.MAX_VALUE - 1);

        assertEquals(Quota.UNLIMITED, quota.available(0));
    }

    @ParameterizedTest
    @CsvSource({"0, 1000", "-1, 1000", "1, 0", "1, 65537", "1, -1"})
    void refusesValuesBeyondQemusBounds(long maxBytes, int period) {
        assertThrows(IllegalArgumentException.class, () -> new Quota(maxBytes, period));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void carriesAtMostMaxBytesInAnyPeriodWhereverItBegins(long seed) {
        Random random = new Random(seed);
        int periodMillis = 1 + random.nextInt(random.nextBoolean() ? 20 : Quota.LONGEST_PERIOD_MILLIS);
        long period = periodMillis * MILLI;
        long maxBytes = 1L + random.nextInt(random.nextBoolean() ? 100 : 1_000_000);
        Quota quota = new Quota(maxBytes, periodMillis);

        List<Charge> charges = greedyReader(random, quota, period);

        long largest = largestWindow(charges, period);
        assertTrue(largest <= maxBytes, largest + " bytes in a period, at most " + maxBytes);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void neverStarvesAReaderThatComesBackAtTheTimeItWasTold(long seed) {
        Random random = new Random(seed);
        long maxBytes = 1L + random.nextInt(5000);
        int periodMillis = 10 + random.nextInt(2000);
        Quota quota = new Quota(maxBytes, periodMillis);
        long period = periodMillis * MILLI;
        long served = 0;
        long now = 0;
        for (; now < 20 * period; now = Math.max(now + 1000, quota.nextRefill())) {
            for (long left = quota.available(now); left > 0; left = quota.available(now)) {
                long take = Math.min(left, 1 + random.nextInt(64));
                quota.charge(now, take);
                served += take;
            }
        }

        double rate = (double) served / ((double) now / period);

        assertTrue(rate >= 0.95 * maxBytes, rate + " bytes a period of " + maxBytes);
    }

    /** Charges at odd times, as much as it may, now in one go and now in pieces. */
    private static List<Charge> greedyReader(Random random, Quota quota, long period) {
        List<Charge> charges = new ArrayList<>();
        long now = 0;
        for (int step = 0; step < 2000; step++) {
            now += switch (random.nextInt(4)) {
                case 0 -> 0;
                case 1 -> random.nextLong(period / 200 + 1);
                case 2 -> random.nextLong(period / 10 + 1);
                default -> Math.max(0, quota.nextRefill() - now);
            };
            long allowed = quota.available(now);
            if (allowed > 0) {
                long bytes = random.nextBoolean() ? allowed : 1 + random.nextLong(allowed);
                quota.charge(now, bytes);
                charges.add(new Charge(now, bytes));
            }
        }
        return charges;
    }

    private static long largestWindow(List<Charge> charges, long period) {
        long largest = 0;
        long inWindow = 0;
        int first = 0;
        for (Charge charge : charges) {
            inWindow += charge.bytes();
            while (charges.get(first).time() <= charge.time() - period) {
                inWindow -= charges.get(first++).bytes();
            }
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }

    @Test
    void countsWhatWasChargedElsewhereFromTheSameTimeOn() {
        Quota elsewhere = new Quota(100, 1000);
        elsewhere.charge(0, 60);
        elsewhere.charge(500 * MILLI, 40);
        elsewhere.settle(500 * MILLI);
        Quota here = new Quota(100, 1000);

        here.recharge(9 * SECOND, elsewhere.charges(600 * MILLI));

        assertEquals(0, here.available(9 * SECOND));
        assertEquals(60, here.available(9 * SECOND + 402 * MILLI));
        assertEquals(100, here.available(9 * SECOND + 902 * MILLI));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void countsTheLargerOfWhatWasChargedHereAndElsewhereAtAnyTime(long seed) {
        Random random = new Random(seed);
        Quota here = charged(random);
        Quota elsewhere = charged(random);
        Quota merged = new Quota(Long.MAX_VALUE - 1, 1000);
        merged.recharge(SECOND, here.charges(SECOND));
        merged.recharge(SECOND, elsewhere.charges(SECOND));

        for (long time = SECOND; time < 3 * SECOND; time += 7 * MILLI) {
            long larger = Math.min(here.available(time), elsewhere.available(time));
            long slack = merged.available(time);
            assertTrue(slack <= larger, "more than either allows at " + time);
        }
        assertEquals(Long.MAX_VALUE - 1, merged.available(3 * SECOND));
    }

    private static Quota charged(Random random) {
        Quota quota = new Quota(Long.MAX_VALUE - 1, 1000);
        long time = 0;
        for (int i = 0; i < 50; i++) {
            time += random.nextLong(20 * MILLI);
            quota.charge(time, random.nextInt(1000));
            quota.settle(time);
        }
        return quota;
    }

    @Test
    void forgetsNothingOfItsOwnWhenLessWasChargedElsewhere() {
        Quota quota = new Quota(100, 1000);
        quota.charge(0, 80);

        quota.recharge(0, List.of(new Quota.Charge(0, 30)));

        assertEquals(20, quota.available(0));
    }

    @Test
    void ignoresWhatWasChargedElsewhereLongAgo() {
        Quota quota = new Quota(100, 1000);

        quota.recharge(0, List.of(new Quota.Charge(1L << 62, 1L << 62)));

        assertEquals(100, quota.available(0));
    }

    @Test
    void staysWithoutALimitWhateverWasChargedElsewhere() {
        Quota quota = new Quota(Quota.UNLIMITED, 1000);

        quota.recharge(0, List.of(new Quota.Charge(0, 1L << 62)));

        assertEquals(Quota.UNLIMITED, quota.available(0));
    }
}
