package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests a guest that shares a total rate limit or a slow source with other guests, and its counters. */
class RngRequestQueueLimitsTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int REQUEST = 64;
    /** A number of bytes that is more than a quantum of the deficit round robin. */
    private static final long LARGE = 10_000;

    private final RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
    private DrrGuestFlow otherFlow;
    private VirtioRngDevice device;

    /** Returns the source of the guest: one that all guests share, or one of its own, as a DRBG is. */
    private EntropySourceSpec source(boolean shared) {
        return shared
                ? guest.source
                : new EntropySourceSpec() {
                    @Override
                    public void probe() {}

                    @Override
                    public EntropySource open(SourceRegistry registry, String name) {
                        return guest.source.open(() -> {});
                    }
                };
    }

    private VirtqueueHandler start(RateLimitConfig own, RateLimitConfig total, boolean sharedSource)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        DeficitRoundRobin scheduler = new DeficitRoundRobin(total, () -> {});
        DrrGuestFlow flow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        otherFlow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        SourceRegistry sources = new SourceRegistry(source(sharedSource), () -> {}, () -> guest.now);
        device = new VirtioRngDevice(
                "limited", RngDeviceFeatures.DEFAULT, sources, new GuestRateLimiter(own), flow, guest.scratch);
        return device.start(guest.config(guest.driver.vringBase()));
    }

    private static RateLimitConfig window(long maxBytes) {
        return RateLimitConfig.ofBytes(RateLimitMode.WINDOW, maxBytes, 1000);
    }

    private void makeAvailable() {
        guest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);
    }

    // --- total rate limit ------------------------------------------------------------------------------------------

    @Test
    void requestWaitsForTheTotal() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, window(REQUEST), false);
        makeAvailable();
        makeAvailable();

        DrainResult result = queue.drain();
        int servedFirst = guest.takeAllUsed();
        guest.now = queue.retryAt();
        queue.drain();

        assertEquals(DrainResult.STARVED, result);
        assertEquals(1, servedFirst);
        assertTrue(queue.retryAt() >= SECOND, "retry at " + queue.retryAt());
        assertEquals(1, guest.takeAllUsed());
        assertEquals("2 requests, 128 bytes, throttled 1 times, starved 0 times, 0 faults", device.statistics());
    }

    @Test
    void windowOfTheTotalStartsWhenTheDriverCanSeeTheRequest()
            throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler unused = start(RateLimitConfig.NONE, window(REQUEST), false);
        unused.stop();
        long[] times = {0, SECOND / 2, SECOND / 2, SECOND / 2};
        int[] calls = {0};
        VirtqueueConfig config = guest.config(guest.driver.vringBase());
        VirtqueueHandler queue = device.start(new VirtqueueConfig(
                config.index(),
                config.size(),
                config.position(),
                config.features(),
                config.areas(),
                config.memory(),
                config.notifier(),
                config.dirtyLogger(),
                () -> times[Math.min(calls[0]++, times.length - 1)],
                null,
                null));
        makeAvailable();

        queue.drain();

        assertEquals(0, otherFlow.grant(SECOND + SECOND / 4, REQUEST));
    }

    @Test
    void stoppedVirtqueueNoLongerTakesPartInTheRound() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, window(1 << 20), false);
        makeAvailable();
        queue.drain();
        otherFlow.charge(0, otherFlow.grant(0, LARGE));
        long besideTheGuest = otherFlow.grant(0, LARGE);

        queue.stop();

        assertEquals(0, besideTheGuest);
        assertTrue(otherFlow.grant(0, LARGE) > 0);
    }

    @Test
    void disabledVirtqueueNoLongerTakesPartInTheRound() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, window(1 << 20), false);
        makeAvailable();
        queue.drain();
        otherFlow.charge(0, otherFlow.grant(0, LARGE));

        queue.disabled();

        assertTrue(otherFlow.grant(0, LARGE) > 0);
    }

    @Test
    void guestThrottledByItsOwnLimitNoLongerTakesPartInTheRound()
            throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(window(REQUEST), window(1 << 20), false);
        makeAvailable();
        makeAvailable();

        DrainResult result = queue.drain();
        otherFlow.charge(0, otherFlow.grant(0, LARGE));

        assertEquals(DrainResult.THROTTLED, result);
        assertTrue(otherFlow.grant(0, LARGE) > 0);
        assertEquals("1 requests, 64 bytes, throttled 1 times, starved 0 times, 0 faults", device.statistics());
    }

    @Test
    void faultyGuestNoLongerTakesPartInTheRound() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, window(1 << 20), false);
        makeAvailable();
        guest.makeAvailable(0, REQUEST);

        DrainResult result = queue.drain();
        otherFlow.charge(0, otherFlow.grant(0, LARGE));

        assertEquals(DrainResult.BROKEN, result);
        assertTrue(otherFlow.grant(0, LARGE) > 0);
        assertEquals("1 requests, 64 bytes, throttled 0 times, starved 0 times, 1 faults", device.statistics());
    }

    // --- slow source -----------------------------------------------------------------------------------------------

    @Test
    void starvedGuestWaitsForASharedSource() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, RateLimitConfig.NONE, true);
        guest.source.remaining = 0;
        makeAvailable();

        DrainResult result = queue.drain();

        assertEquals(DrainResult.STARVED, result);
        assertEquals(VirtqueueHandler.NEVER, queue.retryAt());
        assertTrue(otherFlow.grant(SECOND, LARGE) < LARGE);
        assertEquals("0 requests, 0 bytes, throttled 0 times, starved 1 times, 0 faults", device.statistics());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void guestWhoseSourceIsNotSharedOrHasFailedDoesNotDelayOthers(boolean shared)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, RateLimitConfig.NONE, shared);
        guest.source.remaining = 0;
        guest.source.failsWhenEmpty = shared;
        makeAvailable();

        DrainResult result = queue.drain();

        assertEquals(DrainResult.STARVED, result);
        assertEquals(VirtqueueHandler.NEVER, queue.retryAt());
        assertEquals(LARGE, otherFlow.grant(SECOND, LARGE));
    }

    @Test
    void guestWithoutRequestsNoLongerWaitsForTheSource() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, RateLimitConfig.NONE, true);
        guest.source.remaining = 0;
        makeAvailable();
        queue.drain();
        guest.source.remaining = REQUEST;

        DrainResult result = queue.drain();

        assertEquals(DrainResult.EMPTY, result);
        assertEquals(LARGE, otherFlow.grant(SECOND, LARGE));
    }

    @Test
    void guestWaitsForItsTurnAtASlowSource() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(RateLimitConfig.NONE, RateLimitConfig.NONE, true);
        otherFlow.sourceStarved(0);
        makeAvailable();
        makeAvailable();

        DrainResult result = queue.drain();

        assertEquals(DrainResult.STARVED, result);
        assertEquals(1, guest.takeAllUsed());
        assertFalse(guest.driver.hasUsed());
        assertEquals("1 requests, 64 bytes, throttled 0 times, starved 1 times, 0 faults", device.statistics());
        assertTrue(queue.retryAt() > 10 * MILLI, "retry at " + queue.retryAt());
    }
}
