package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.GuestRateLimiter.LimiterUsage;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests how much one drain serves, and how it fills small and large segments. */
class RngRequestBudgetTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int KIB = 1024;

    private static VirtqueueHandler start(RngTestGuest<?> guest, VirtioRngDevice device, LongSupplier clock)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        VirtqueueConfig config = guest.config(guest.driver.vringBase());
        return device.start(new VirtqueueConfig(
                config.index(),
                config.size(),
                config.position(),
                config.features(),
                config.areas(),
                config.memory(),
                config.notifier(),
                config.dirtyLogger(),
                clock,
                null,
                null));
    }

    // --- budget ----------------------------------------------------------------------------------------------------

    @Test
    void servesAtMost64RequestsPerDrain() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(128, 0);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 65; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS, 1);
        }

        DrainResult first = queue.drain();
        int servedFirst = guest.takeAllUsed();
        DrainResult second = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, first);
        assertEquals(64, servedFirst);
        assertEquals(DrainResult.EMPTY, second);
        assertEquals(1, guest.takeAllUsed());
    }

    @Test
    void readsAtMost2048DescriptorsPerDrainAndTheRestOfTheLastChain() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(64, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        DriverBufferElement[] chain = new DriverBufferElement[100];
        Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 0));
        chain[99] = DriverBufferElement.writable(RngTestGuest.BUFFERS, 1);
        for (int i = 0; i < 30; i++) {
            guest.driver.makeAvailable(
                    guest.driver.addIndirectBuffer(guest.secondRegion, RngTestGuest.SECOND_REGION, chain));
        }

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, result);
        assertEquals(21, guest.takeAllUsed());
    }

    @Test
    void stoppedQueueNoLongerReducesTheBudgetOfTheOthers() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        VirtqueueHandler queue = guest.start();
        boolean sharedAlone = guest.scratch.isShared();
        VirtqueueHandler other = RngTestGuest.split().start();
        other.stop();
        guest.scratch.addQueue();
        boolean sharedByTwo = guest.scratch.isShared();

        queue.stop();

        assertFalse(sharedAlone);
        assertTrue(sharedByTwo);
        assertFalse(guest.scratch.isShared());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void partlyFilledRequestIsNotInFlight(boolean packed) {
        RngTestGuest<? extends DriverRing> guest = RngTestGuest.of(packed, 8, 0).besideAnotherQueue();
        guest.recordInflight(8);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64 * KIB);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, result);
        assertFalse(guest.driver.hasUsed());
        assertEquals(0, guest.inflight.bytes().get(ValueLayout.JAVA_BYTE, packed ? 32 : 16));
    }

    /** The guest first gets its quantum of 64 bytes, unless it has already used the quantum. */
    @ParameterizedTest
    @CsvSource({"false, 16448", "true, 16384"})
    void partlyFilledRequestIsCompletedWhenOthersHaveToBeServed(boolean quantumUsed, int length)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split().besideAnotherQueue();
        DeficitRoundRobin scheduler = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {});
        DrrGuestFlow other = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow flow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        VirtioRngDevice device = new VirtioRngDevice(
                "guest",
                RngDeviceFeatures.DEFAULT,
                new SourceRegistry(guest.source, () -> {}, () -> guest.now),
                new GuestRateLimiter(RateLimitConfig.NONE),
                flow,
                guest.scratch);
        VirtqueueHandler queue = start(guest, device, () -> guest.now);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64 * KIB);
        queue.drain();
        other.sourceStarved(0);
        if (quantumUsed) {
            flow.charge(0, flow.grant(0, 64));
        }

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(length, guest.driver.usedLength());
        assertFalse(guest.driver.hasUsed());
    }

    @Test
    void requestThatArrivesWhileNotificationsAreEnabledIsServed()
            throws InvalidVirtqueueException, MemoryNotReadyException {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] readings = {0};
        VirtioRngDevice device = limited(guest, RateLimitMode.SMOOTH, 1 << 20);
        // The clock is read before the requests are served, and again before notifications are enabled.
        VirtqueueHandler queue = start(guest, device, () -> {
            if (readings[0]++ == 1) {
                guest.makeAvailable(RngTestGuest.BUFFERS, 8);
            }
            return guest.now;
        });

        DrainResult result = queue.drain();

        assertEquals(DrainResult.EMPTY, result);
        assertEquals(1, guest.takeAllUsed());
    }

    @Test
    void driverThatRevokesBuffersCannotProlongADrain() throws InvalidVirtqueueException, MemoryNotReadyException {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] readings = {0};
        VirtioRngDevice device = limited(guest, RateLimitMode.SMOOTH, 1 << 20);
        int head = guest.driver.addBuffer(DriverBufferElement.writable(RngTestGuest.BUFFERS, 8));
        guest.driver.setAvailEntry(0, head);
        VirtqueueHandler queue = start(guest, device, () -> {
            // The driver revokes the buffer before requests are served, and makes it available before notifications are
            // enabled.
            guest.driver.setAvailIdx(readings[0]++ % 2);
            return guest.now;
        });

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BUDGET_SPENT, result);
        assertEquals(2 * 65, readings[0]);
    }

    @Test
    void windowOfTheGuestsOwnLimitStartsWhenTheDriverCanSeeTheRequest()
            throws InvalidVirtqueueException, MemoryNotReadyException {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] readings = {0};
        VirtioRngDevice device = limited(guest, RateLimitMode.WINDOW, 64);
        VirtqueueHandler queue = start(guest, device, () -> readings[0]++ == 0 ? 0 : SECOND / 2);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(new LimiterUsage(64, 0, 0), device.rateLimiter().usage(SECOND + SECOND / 4));
    }

    private static VirtioRngDevice limited(RngTestGuest<?> guest, RateLimitMode mode, long maxBytes) {
        return new VirtioRngDevice(
                "limited",
                new RngDeviceFeatures(true, true),
                new SourceRegistry(guest.source, () -> {}, () -> guest.now),
                new GuestRateLimiter(mode, maxBytes, 1000),
                new DeficitRoundRobin(RateLimitConfig.NONE, () -> {}).addFlow(DrrGuestConfig.DEFAULT),
                guest.scratch);
    }

    // --- segments --------------------------------------------------------------------------------------------------

    /**
     * Columns: lengths of the segments, position, maximum length, number of calls of the source, number of written
     * segments.
     */
    @ParameterizedTest
    @CsvSource({
        "10 20 30, 0, 60, 1, 3",
        "10 20 30, 0, 10, 1, 1",
        "10 20 30, 0, 11, 1, 2",
        "10 20 30, 10, 20, 1, 1",
        "10 20 30, 9, 2, 1, 2",
        "10 20 30, 15, 45, 1, 2",
        "10 20 30, 30, 30, 1, 1",
        "255 255 10, 0, 520, 1, 3",
        "256 10 10, 0, 276, 2, 3",
        "256 10 10, 1, 275, 2, 3",
        "10 256 10, 0, 276, 3, 3",
        "300 300, 0, 600, 2, 2",
        "300 300, 299, 301, 2, 2",
        "10 300 10, 5, 310, 3, 3"
    })
    void fillsSegments(String lengths, int from, int limit, int calls, int segments) {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] sizes =
                Arrays.stream(lengths.split(" ")).mapToInt(Integer::parseInt).toArray();
        EntropyBufferFiller filler = filler(guest, sizes);

        int filled = filler.fill(from, limit);

        assertEquals(limit, filled);
        assertEquals(calls, guest.source.calls);
        assertEquals(segments, filler.segmentsWritten());
        assertArrayEquals(expected(sizes, from, limit), content(guest, sizes));
        assertEquals(-1, guest.scratch.staging().mismatch(zeros(RequestScratchMemory.STAGING_BYTES)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 10, 11, 255, 256, 300})
    void fillsSegmentsFromASourceWithFewBytesAtATime(int maxPerFill) {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] sizes = {10, 300, 20, 255, 256};
        guest.source.maxPerFill = maxPerFill;
        EntropyBufferFiller filler = filler(guest, sizes);

        int filled = filler.fill(3, 800);

        assertEquals(800, filled);
        assertEquals(5, filler.segmentsWritten());
        assertArrayEquals(expected(sizes, 3, 800), content(guest, sizes));
    }

    @Test
    void returnsTheBytesBeforeTheSourceRanOut() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        int[] sizes = {10, 300};
        guest.source.remaining = 15;
        EntropyBufferFiller filler = filler(guest, sizes);

        assertEquals(15, filler.fill(0, 310));
        assertEquals(2, filler.segmentsWritten());
        assertEquals(0, filler.fill(0, 310));
        guest.source.failsWhenEmpty = true;
        assertTrue(filler.fill(0, 10) < 0);
    }

    /** Creates a filler for segments at intervals of 512 bytes. */
    private static EntropyBufferFiller filler(RngTestGuest<DriverSplitRing> guest, int... sizes) {
        Virtqueue queue = guest.virtqueue();
        DriverBufferElement[] chain = new DriverBufferElement[sizes.length];
        for (int i = 0; i < sizes.length; i++) {
            chain[i] = DriverBufferElement.writable(RngTestGuest.BUFFERS + 512L * i, sizes[i]);
        }
        guest.makeAvailable(chain);
        queue.hasAvailable();
        queue.peek(guest.scratch.buffers());
        return new EntropyBufferFiller(guest.source.open(() -> {}), guest.scratch);
    }

    private static byte[] content(RngTestGuest<DriverSplitRing> guest, int... sizes) {
        return guest.bytesAt(RngTestGuest.BUFFERS, 512 * sizes.length);
    }

    private static byte[] expected(int[] sizes, int from, int limit) {
        byte[] content = new byte[512 * sizes.length];
        byte[] sequence = RngTestGuest.sequence(0, limit);
        int position = 0;
        for (int i = 0; i < sizes.length; i++) {
            for (int at = 0; at < sizes[i]; at++, position++) {
                if (position >= from && position < from + limit) {
                    content[512 * i + at] = sequence[position - from];
                }
            }
        }
        return content;
    }

    private static MemorySegment zeros(int length) {
        return MemorySegment.ofArray(new byte[length]);
    }

    // --- device ----------------------------------------------------------------------------------------------------

    /** VIRTIO_F_VERSION_1, INDIRECT_DESC, EVENT_IDX and ORDER_PLATFORM, and optionally RING_PACKED and IN_ORDER. */
    @ParameterizedTest
    @CsvSource({"false, false, 0x1130000000", "true, false, 0x1530000000", "false, true, 0x1930000000"})
    void offersItsFeatures(boolean packed, boolean inOrder, String features) {
        assertEquals(Long.decode(features), new RngDeviceFeatures(packed, inOrder).bits());
    }

    @Test
    void hasANameAndOneVirtqueue() {
        VirtioRngDevice device = limited(RngTestGuest.split(), RateLimitMode.SMOOTH, 1);

        assertEquals("limited", device.name());
        assertEquals(1, device.queueCount());
        assertEquals(0x1d30000000L, device.features());
    }

    @Test
    void largestCountOfAMigratedStateIsAccepted() throws InvalidDeviceStateException {
        RngMigrationState state = new RngMigrationState(new RngCounts(1L << 62, 0, 0, 0, 0), new LimiterUsage(0, 0, 0));

        assertEquals(state, RngMigrationState.decode(state.encode()));
    }
}
