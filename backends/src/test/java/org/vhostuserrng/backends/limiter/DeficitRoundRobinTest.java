package org.vhostuserrng.backends.limiter;

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
import org.vhostuserrng.backends.limiter.SimulatedDrrHost.SimulatedGuest;

/** Tests the scheduling of simulated guests that compete for a total or a slow source. */
class DeficitRoundRobinTest {
    private static final long MICRO = SimulatedDrrHost.MICRO;
    private static final long MILLI = SimulatedDrrHost.MILLI;
    private static final long SECOND = 1000 * MILLI;
    private static final int POOL = 65536;

    static LongStream seeds() {
        return LongStream.range(0, 30);
    }

    private static RateLimitConfig total(long bytesPerSecond) {
        return RateLimitConfig.ofBytes(RateLimitMode.SMOOTH, bytesPerSecond, 1000);
    }

    private static void assertSharesByWeight(List<SimulatedGuest> guests, double tolerance, long quantum) {
        long served = guests.stream().mapToLong(guest -> guest.bytes).sum();
        int weights = guests.size() * (guests.size() + 1) / 2;
        for (int i = 0; i < guests.size(); i++) {
            double expected = (double) served * (i + 1) / weights;
            double error = Math.abs(guests.get(i).bytes - expected);
            assertTrue(
                    error <= expected * tolerance + quantum * (i + 1),
                    "guest of weight " + (i + 1) + " has " + guests.get(i).bytes + " of " + served + ", not "
                            + expected);
        }
    }

    /** Creates guests with the weights 1, 2, 3 and so on. */
    private static List<SimulatedGuest> weighted(SimulatedDrrHost host, int count, int depth, int request) {
        List<SimulatedGuest> guests = new ArrayList<>();
        for (int weight = 1; weight <= count; weight++) {
            guests.add(host.guest(new DrrGuestConfig(weight, 0), RateLimitConfig.NONE, depth, request, 100 * MICRO));
        }
        return guests;
    }

    @Test
    void nobodyWaitsWithoutContention() {
        SimulatedDrrHost host = new SimulatedDrrHost(RateLimitConfig.NONE);
        List<SimulatedGuest> guests = weighted(host, 4, 4, 64);

        host.run(SECOND / 10);

        guests.forEach(guest -> assertEquals(0, guest.longestWait));
    }

    @ParameterizedTest
    @CsvSource({
        "2, 1, 64, 1024",
        "8, 1, 64, 1024",
        "2, 1, 64, 100000",
        "8, 1, 64, 100000",
        "8, 1, 64, 1000000",
        "8, 16, 64, 1000000",
        "8, 16, 4096, 1000000",
        "8, 1, 65536, 20000000",
        "3, 64, 65536, 20000000"
    })
    void sharesTotalByWeight(int count, int depth, int request, long bytesPerSecond) {
        SimulatedDrrHost host = new SimulatedDrrHost(total(bytesPerSecond));
        List<SimulatedGuest> guests = weighted(host, count, depth, request);

        host.run(20 * SECOND);

        assertSharesByWeight(guests, 0.02, 4096);
        assertTrue(host.served >= 0.97 * 20 * bytesPerSecond, "only " + host.served);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 1, 64, 1000",
        "8, 1, 64, 20000",
        "8, 1, 64, 500000",
        "8, 16, 64, 500000",
        "4, 16, 4096, 500000",
        "4, 2, 65536, 500000"
    })
    void sharesSlowSourceByWeight(int count, int depth, int request, long bytesPerSecond) {
        SimulatedDrrHost host = new SimulatedDrrHost(RateLimitConfig.NONE).withSource(bytesPerSecond, POOL);
        List<SimulatedGuest> guests = weighted(host, count, depth, request);

        host.run(20 * SECOND);

        assertSharesByWeight(guests, 0.03, 128);
        assertTrue(host.served >= 0.98 * 20 * bytesPerSecond, "only " + host.served);
    }

    @Test
    void requestSizeDoesNotAffectTheShare() {
        SimulatedDrrHost host = new SimulatedDrrHost(RateLimitConfig.NONE).withSource(100_000, POOL);
        SimulatedGuest greedy = host.guest(DrrGuestConfig.DEFAULT, RateLimitConfig.NONE, 64, 65536, 20 * MICRO);
        SimulatedGuest modest = host.guest(DrrGuestConfig.DEFAULT, RateLimitConfig.NONE, 1, 64, 100 * MICRO);

        host.run(10 * SECOND);

        assertEquals(1.0, (double) greedy.bytes / modest.bytes, 0.05);
    }

    @Test
    void unusedShareOfIdleGuestGoesToOthers() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(100_000));
        List<SimulatedGuest> guests = weighted(host, 4, 1, 64);
        guests.get(3).idle = true;

        host.run(10 * SECOND);

        assertSharesByWeight(guests.subList(0, 3), 0.02, 64);
        assertTrue(host.served >= 0.97 * 10 * 100_000, "only " + host.served);
    }

    @Test
    void unusedShareOfLimitedGuestGoesToOthers() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(100_000));
        SimulatedGuest limited = host.guest(new DrrGuestConfig(8, 0), total(10_000), 1, 64, 100 * MICRO);
        SimulatedGuest other = host.guest(1);

        host.run(10 * SECOND);

        assertTrue(limited.bytes <= 10 * 10_000 + 320, "has " + limited.bytes);
        assertTrue(limited.bytes >= 0.97 * 10 * 10_000, "has " + limited.bytes);
        assertTrue(other.bytes >= 0.97 * 10 * 90_000, "has " + other.bytes);
    }

    @Test
    void unusedShareOfSlowGuestIsSharedByWeight() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(1_000_000));
        SimulatedGuest one = host.guest(new DrrGuestConfig(1, 0), RateLimitConfig.NONE, 8, 64, 20 * MICRO);
        SimulatedGuest two = host.guest(new DrrGuestConfig(2, 0), RateLimitConfig.NONE, 8, 64, 20 * MICRO);
        SimulatedGuest slow = host.guest(new DrrGuestConfig(8, 0), RateLimitConfig.NONE, 1, 64, 1500 * MICRO);

        host.run(10 * SECOND);

        assertTrue(slow.bytes >= 0.9 * 64 * 10_000 / 1.52, "has " + slow.bytes);
        assertEquals(2.0, (double) two.bytes / one.bytes, 0.1);
        assertTrue(host.served >= 0.95 * 10 * 1_000_000, "only " + host.served);
    }

    @Test
    void idleGuestAccumulatesNoDeficit() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(100_000));
        SimulatedGuest first = host.guest(1);
        SimulatedGuest late = host.guest(1);
        late.idle = true;
        host.run(10 * SECOND);
        long before = first.bytes;

        late.idle = false;
        host.run(10 * SECOND);

        assertEquals(1.0, (double) late.bytes / (first.bytes - before), 0.03);
    }

    @Test
    void guestGetsItsMinimumDespiteHeavierGuests() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(100_000));
        SimulatedGuest guaranteed = host.guest(new DrrGuestConfig(1, 50_000), RateLimitConfig.NONE, 1, 64, 100 * MICRO);
        List<SimulatedGuest> heavy = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            heavy.add(host.guest(10));
        }

        host.run(10 * SECOND);

        assertTrue(guaranteed.bytes >= 0.98 * 10 * 50_000, "has " + guaranteed.bytes);
        heavy.forEach(guest -> assertTrue(Math.abs(guest.bytes - 119_000) < 10_000, "has " + guest.bytes));
    }

    @Test
    void unusedMinimumGoesToOthers() {
        SimulatedDrrHost host = new SimulatedDrrHost(total(100_000));
        host.guest(new DrrGuestConfig(1, 50_000), RateLimitConfig.NONE, 1, 64, 100 * MICRO).idle = true;
        SimulatedGuest other = host.guest(1);

        host.run(10 * SECOND);

        assertTrue(other.bytes >= 0.97 * 10 * 100_000, "has " + other.bytes);
    }

    @Test
    void unservedGuestDoesNotBlockOthersForever() {
        SimulatedDrrHost host = new SimulatedDrrHost(RateLimitConfig.NONE);
        host.guest(1).otherSourceStarved = true;
        SimulatedGuest other = host.guest(1);
        host.run(SECOND);
        long before = other.bytes;

        host.run(10 * SECOND);

        assertTrue(other.bytes > before);
    }

    @Test
    void deactivatedGuestDoesNotDelayOthers() {
        SimulatedDrrHost host = new SimulatedDrrHost(RateLimitConfig.NONE).withSource(10_000, POOL);
        List<SimulatedGuest> guests = weighted(host, 3, 1, 64);
        host.run(SECOND);
        long before = guests.get(0).bytes + guests.get(1).bytes;

        guests.get(2).flow.deactivate();
        guests.get(2).idle = true;
        host.run(SECOND);

        assertTrue(guests.get(0).bytes + guests.get(1).bytes - before >= 9_800);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void randomGuestsShareTheTotalAndNoneStarves(long seed) {
        Random random = new Random(seed);
        long bytesPerSecond = 2000L + random.nextInt(1_000_000);
        SimulatedDrrHost host = new SimulatedDrrHost(total(bytesPerSecond));
        if (random.nextBoolean()) {
            host.withSource(bytesPerSecond / 2 + random.nextInt(1_000_000), POOL);
        }
        List<SimulatedGuest> guests = new ArrayList<>();
        int count = 2 + random.nextInt(7);
        for (int i = 0; i < count; i++) {
            DrrGuestConfig config =
                    new DrrGuestConfig(1 + random.nextInt(8), random.nextBoolean() ? 0 : bytesPerSecond / 20);
            guests.add(host.guest(
                    config,
                    RateLimitConfig.NONE,
                    1 + random.nextInt(16),
                    1 + random.nextInt(random.nextBoolean() ? 64 : 65536),
                    20 * MICRO + random.nextLong(3 * MILLI)));
        }

        for (int second = 0; second < 10; second++) {
            guests.forEach(guest -> guest.idle = random.nextInt(4) == 0);
            guests.getFirst().idle = false;
            host.run(SECOND);
        }

        long slice = Math.max(Math.ceilDiv(bytesPerSecond, 64), 64);
        assertTrue(host.served <= 10 * bytesPerSecond + slice, "too much: " + host.served);
        SimulatedGuest always = guests.getFirst();
        assertTrue(always.bytes > 0 && always.longestWait < 3 * SECOND, "waited " + always.longestWait / MILLI + " ms");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1001, 0", "1, -1"})
    void refusesConfigOutOfRange(int weight, long minBytes) {
        assertThrows(IllegalArgumentException.class, () -> new DrrGuestConfig(weight, minBytes));
    }
}
