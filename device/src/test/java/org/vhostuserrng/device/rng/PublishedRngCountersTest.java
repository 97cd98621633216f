package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.counters.CounterSlot;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests the values that a device writes to its slot of the counters file. */
class PublishedRngCountersTest {
    private static final int REQUEST = 64;
    private static final long SECOND = 1_000_000_000L;
    private static final long REALTIME = 1_700_000_000L * SECOND;

    private final CounterSlot slot =
            CounterSlot.ofHeap(VirtioRngDevice.counterFields().size());
    private final RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
    private final RngTestGuest<DriverSplitRing> limitedGuest =
            RngTestGuest.split(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, REQUEST, 1000));

    private VirtqueueHandler start(RngTestGuest<DriverSplitRing> started)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        started.device.countIn(slot);
        started.device.refreshCounters(started.now, REALTIME);
        return started.device.start(started.config(started.driver.vringBase()));
    }

    private void assertCounter(long expected, GuestCounterField field) {
        assertEquals(expected, slot.get(field.index()), field::name);
    }

    @Test
    void servedRequestIsCounted() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(guest);
        guest.now = 5;
        guest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);

        queue.drain();

        assertCounter(1, GuestCounterField.REQUESTS);
        assertCounter(REQUEST, GuestCounterField.BYTES);
        assertCounter(1, GuestCounterField.INTERRUPTS);
        assertCounter(1, GuestCounterField.LATENCY_COUNT);
        assertCounter(1, GuestCounterField.SOURCE_STATE);
        assertCounter(REALTIME + 5, GuestCounterField.LAST_REQUEST);
    }

    @Test
    void timeOfAThrottledRequestIsCounted() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(limitedGuest);
        limitedGuest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);
        limitedGuest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);
        queue.drain();

        limitedGuest.now = queue.retryAt();
        queue.drain();

        assertCounter(1, GuestCounterField.THROTTLED);
        assertCounter(queue.retryAt(), GuestCounterField.THROTTLED_TIME);
        assertCounter(0, GuestCounterField.STARVED_TIME);
    }

    @Test
    void refreshCountsTheTimeOfARequestThatStillWaits() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(guest);
        guest.source.remaining = 0;
        guest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);
        queue.drain();

        guest.device.refreshCounters(SECOND, REALTIME);
        guest.device.refreshCounters(3 * SECOND, REALTIME);

        assertCounter(1, GuestCounterField.STARVED);
        assertCounter(3 * SECOND, GuestCounterField.STARVED_TIME);
        assertCounter(2, GuestCounterField.SOURCE_STATE);
    }

    @Test
    void stoppedQueueWaitsNoLonger() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(guest);
        guest.source.remaining = 0;
        guest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);
        queue.drain();

        queue.stop();
        guest.device.refreshCounters(SECOND, REALTIME);

        assertCounter(0, GuestCounterField.STARVED_TIME);
    }

    @Test
    void faultIsCountedByKind() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(guest);
        guest.makeAvailable(0, REQUEST);

        queue.drain();

        assertCounter(1, GuestCounterField.FAULTS);
        assertCounter(1, GuestCounterField.FAULTS_ADDRESS);
    }

    @Test
    void sessionsAndKicksAreCounted() {
        guest.device.countIn(slot);

        guest.device.sessionBegan(false, 0);
        guest.device.kicked();
        guest.device.sessionEnded();
        guest.device.sessionBegan(true, 0);

        assertCounter(1, GuestCounterField.SESSIONS);
        assertCounter(1, GuestCounterField.KICKS);
        assertCounter(1, GuestCounterField.CONNECTED);
    }

    @Test
    void limitAndWhatIsLeftOfItArePublished() throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueHandler queue = start(limitedGuest);
        assertCounter(REQUEST, GuestCounterField.LIMIT_BYTES);
        assertCounter(SECOND, GuestCounterField.LIMIT_PERIOD);
        assertCounter(REQUEST, GuestCounterField.LIMIT_BYTES_LEFT);
        limitedGuest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);

        queue.drain();
        limitedGuest.device.refreshCounters(limitedGuest.now, REALTIME);

        assertCounter(0, GuestCounterField.LIMIT_BYTES_LEFT);
    }

    @Test
    void countersOfAnEarlierProcessGoOn() throws InvalidVirtqueueException, MemoryNotReadyException {
        slot.set(GuestCounterField.REQUESTS.index(), 10);
        slot.set(GuestCounterField.BYTES.index(), 1000);
        VirtqueueHandler queue = start(guest);
        guest.makeAvailable(RngTestGuest.BUFFERS, REQUEST);

        queue.drain();

        assertCounter(11, GuestCounterField.REQUESTS);
        assertCounter(1000 + REQUEST, GuestCounterField.BYTES);
    }
}
