package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests two guests whose fills end in all possible ways: a fault in any segment of a chain, a source with few or no
 * bytes, a stopped virtqueue, a new session, a migration, and the end of the process during a fill. All bytes count at
 * the time when the source wrote them, whether or not the request was completed.
 */
class RateLimitUnderFaultsTest {
    private static final int STEPS = 1500;
    private static final int PERIOD_MILLIS = 1000;
    private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS);
    /** Maximum time of one fill, which is within the slack of a limit. */
    private static final long MAX_FILL = TimeUnit.MICROSECONDS.toNanos(30);

    private static final int SEEDS = 10;
    private static final long MAX_BYTES = 1024;
    private static final long BURST = 300;
    /** The slice of a token bucket of up to 4096 bytes. */
    private static final long SLICE = 64;

    private record Write(long at, int bytes) {}

    /** How the next fills end. {@code CRASH} ends the process. */
    private enum WayOut {
        SERVED,
        FAULT,
        VANISHED,
        SHORT,
        DRY,
        CRASH
    }

    private final class Guest {
        final RngTestGuest<? extends DriverRing> machine;
        final MemorySegment kept = Arena.ofAuto().allocate(VirtioDevice.PERSISTED_BYTES, 8);
        /** The contents of {@link #kept} at a crash during a fill. */
        final byte[] left = new byte[VirtioDevice.PERSISTED_BYTES];

        final List<Write> writes = new ArrayList<>();
        private long counted;
        VirtioRngDevice device;
        VirtqueueHandler queue;

        Guest(boolean packed) {
            machine = RngTestGuest.of(packed, 16, 0);
            machine.source.onWritten = this::written;
        }

        private void written() {
            monotonic += random.nextLong(MAX_FILL);
            Write write = new Write(monotonic, (int) (machine.source.written - counted));
            counted = machine.source.written;
            writes.add(write);
            allWrites.add(write);
            fillsLeft--;
            if (fillsLeft == 0) {
                end();
            }
        }

        private void end() {
            machine.source.targetFaults = wayOut == WayOut.FAULT;
            machine.source.targetVanishes = wayOut == WayOut.VANISHED || wayOut == WayOut.CRASH;
            machine.source.maxPerFill = wayOut == WayOut.SHORT ? 1 + random.nextInt(20) : Integer.MAX_VALUE;
            machine.source.remaining = wayOut == WayOut.DRY ? random.nextInt(20) : Long.MAX_VALUE;
            if (wayOut == WayOut.CRASH) {
                guests.forEach(guest -> MemorySegment.copy(
                        guest.kept, 0, MemorySegment.ofArray(guest.left), 0, VirtioDevice.PERSISTED_BYTES));
                MemorySegment.ofArray(leftOfTotal).copyFrom(persistedTotal);
                crashed = true;
            }
        }

        void createDevice(boolean continued) {
            SourceRegistry sources = new SourceRegistry(machine.source, () -> {}, () -> monotonic - origin);
            device = new VirtioRngDevice(
                    "guest",
                    RngDeviceFeatures.DEFAULT,
                    sources,
                    new GuestRateLimiter(guestLimit),
                    scheduler.addFlow(DrrGuestConfig.DEFAULT),
                    machine.scratch);
            if (continued) {
                kept.copyFrom(MemorySegment.ofArray(left));
            }
            device.persistIn(kept, continued, monotonic - origin, monotonic);
        }

        /** Resets the driver, and starts its virtqueue. */
        void startQueue() {
            machine.resetRandomly(random);
            try {
                queue = device.start(machine.config(machine.driver.vringBase()));
            } catch (InvalidVirtqueueException | MemoryNotReadyException invalid) {
                throw new AssertionError(invalid);
            }
        }

        void makeSomeAvailable() {
            long address = RngTestGuest.SECOND_REGION;
            while (machine.driver.freeDescriptors() >= 3) {
                machine.makeAvailable(
                        DriverBufferElement.writable(address, 1 + random.nextInt(20)),
                        DriverBufferElement.writable(address + 0x1000, 1 + random.nextInt(400)),
                        DriverBufferElement.writable(address + 0x2000, 1 + random.nextInt(40)));
            }
        }

        /** Drains once. Returns whether the virtqueue is broken. */
        boolean drain() {
            try {
                return queue.drain() == DrainResult.BROKEN;
            } catch (InternalError vanished) {
                return true;
            }
        }

        void newSession() {
            queue.stop();
            device.persistIn(null, false, monotonic - origin, monotonic);
            device.persistIn(kept, false, monotonic - origin, monotonic);
            startQueue();
        }

        void migrateToItself() {
            queue.stop();
            try {
                device.loadState(monotonic - origin, device.saveState(monotonic - origin));
            } catch (InvalidDeviceStateException invalid) {
                throw new AssertionError(invalid);
            }
            startQueue();
        }
    }

    private final List<Guest> guests = new ArrayList<>();
    private final List<Write> allWrites = new ArrayList<>();
    private Random random;
    private long maxStep;
    private RateLimitConfig guestLimit;
    private RateLimitConfig totalLimit;
    private DeficitRoundRobin scheduler;
    private final MemorySegment persistedTotal = Arena.ofAuto().allocate(DeficitRoundRobin.PERSISTED_BYTES, 8);
    /** The contents of {@link #persistedTotal} at a crash during a fill. */
    private final byte[] leftOfTotal = new byte[DeficitRoundRobin.PERSISTED_BYTES];

    private long monotonic = 7_000_000_000L;
    /** CLOCK_MONOTONIC when the current process started. */
    private long origin;

    private WayOut wayOut = WayOut.SERVED;
    private int fillsLeft;
    private boolean crashed;

    private void startProcess(boolean continued) {
        origin = monotonic;
        scheduler = new DeficitRoundRobin(totalLimit, () -> {});
        if (continued) {
            persistedTotal.copyFrom(MemorySegment.ofArray(leftOfTotal));
        }
        scheduler.persistIn(persistedTotal, continued, 0, monotonic);
        guests.forEach(guest -> guest.createDevice(continued));
        guests.forEach(Guest::startQueue);
    }

    private void step() {
        monotonic += random.nextLong(maxStep);
        guests.forEach(guest -> guest.machine.now = monotonic - origin);
        Guest guest = guests.get(random.nextInt(guests.size()));
        wayOut = WayOut.values()[random.nextInt(WayOut.values().length)];
        fillsLeft = 1 + random.nextInt(4);
        guest.machine.source.maxPerFill = Integer.MAX_VALUE;
        guest.machine.source.remaining = Long.MAX_VALUE;
        guest.makeSomeAvailable();
        boolean broken = guest.drain();
        guest.machine.takeAllUsed();
        if (crashed) {
            crashed = false;
            startProcess(true);
        } else if (broken || random.nextInt(8) == 0) {
            guest.queue.stop();
            guest.startQueue();
        } else if (random.nextInt(8) == 0) {
            guest.newSession();
        } else if (random.nextInt(20) == 0) {
            guest.migrateToItself();
        }
    }

    @ParameterizedTest
    @CsvSource({"SMOOTH, false", "SMOOTH, true", "WINDOW, false", "WINDOW, true"})
    void noWayOutOfAFillExceedsTheLimitOfAGuest(RateLimitMode mode, boolean packed) {
        for (int seed = 0; seed < SEEDS; seed++) {
            run(
                    packed,
                    seed,
                    new RateLimitConfig(mode, MAX_BYTES, PERIOD_MILLIS, GuestRateLimiter.UNLIMITED, BURST),
                    RateLimitConfig.NONE);

            for (Guest guest : guests) {
                assertWithin(guest.writes, mode, BURST, seed);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"SMOOTH, false", "SMOOTH, true", "WINDOW, false", "WINDOW, true"})
    void noWayOutOfAFillExceedsTheTotal(RateLimitMode mode, boolean packed) {
        for (int seed = 0; seed < SEEDS; seed++) {
            run(packed, seed, RateLimitConfig.NONE, RateLimitConfig.ofBytes(mode, MAX_BYTES, PERIOD_MILLIS));

            assertWithin(allWrites, mode, 0, seed);
        }
    }

    private void run(boolean packed, int seed, RateLimitConfig ofGuest, RateLimitConfig ofAll) {
        random = new Random(seed);
        guests.clear();
        allWrites.clear();
        maxStep = PERIOD >> (3 + seed % 4);
        guestLimit = ofGuest;
        totalLimit = ofAll;
        guests.add(new Guest(packed));
        guests.add(new Guest(packed));
        startProcess(false);

        for (int step = 0; step < STEPS; step++) {
            step();
        }
    }

    /**
     * Asserts that in any interval of n periods, a guest gets at most n times the maximum, plus one slice of a token
     * bucket or one window, plus the burst.
     */
    private static void assertWithin(List<Write> writes, RateLimitMode mode, long burst, int seed) {
        long atOnce = burst + (mode == RateLimitMode.SMOOTH ? SLICE : MAX_BYTES);
        for (int first = 0; first < writes.size(); first++) {
            long bytes = 0;
            for (int last = first; last < writes.size(); last++) {
                bytes += writes.get(last).bytes();
                long periods = (writes.get(last).at() - writes.get(first).at()) / PERIOD + 1;
                long seen = bytes;
                assertTrue(
                        bytes <= periods * MAX_BYTES + atOnce,
                        () -> "seed " + seed + ": " + seen + " bytes in " + periods + " periods");
            }
        }
    }
}
