package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Sends random requests to a device that crashes before one of its stores. The next device uses the same memory, and
 * may crash too. {@link CrashInjectingClassLoader} loads this class. {@link #call} returns whether a device crashed.
 */
public final class DeviceCrashScenario implements Callable<Boolean> {
    private static final int ROUNDS = 7;
    private static final int BUFFER_BYTES = 64;

    private final Random random;
    private final RngTestGuest<? extends DriverRing> guest;
    private final int base;
    private final long secondCrash;
    private final ArrayDeque<Integer> outstanding = new ArrayDeque<>();
    private VirtqueueHandler queue;
    private int crashes;
    private int requestCount;

    /**
     * Creates a run.
     *
     * @param packed the format of the virtqueue
     * @param byPosition whether the device records its position instead of its in-flight requests
     * @param seed the seed of all random choices
     * @param firstCrash the number of stores before the first crash
     * @param secondCrash the number of stores between both crashes
     */
    public DeviceCrashScenario(boolean packed, boolean byPosition, long seed, long firstCrash, long secondCrash) {
        random = new Random(seed);
        int size = packed ? 2 + random.nextInt(5) : 2 << random.nextInt(2);
        guest = RngTestGuest.of(
                packed, size, VirtioConstants.VIRTIO_F_INDIRECT_DESC | VirtioConstants.VIRTIO_F_EVENT_IDX);
        guest.resetRandomly(random);
        if (byPosition) {
            guest.recordPosition();
        } else {
            guest.recordInflight(size + random.nextInt(3));
        }
        base = guest.driver.vringBase();
        this.secondCrash = secondCrash;
        StoreCrashPoint.crashAfter(firstCrash);
    }

    @Override
    public Boolean call() {
        runWithRestart(this::start);
        for (int round = 0; round < ROUNDS; round++) {
            makeSomeAvailable();
            guest.source.maxPerFill = 1 + random.nextInt(2 * BUFFER_BYTES);
            guest.source.remaining = random.nextInt(3) == 0 ? random.nextInt(3 * BUFFER_BYTES) : Long.MAX_VALUE;
            runWithRestart(() -> queue.drain());
            if (random.nextInt(4) == 0) {
                queue.stop();
                runWithRestart(this::start);
            }
            if (random.nextInt(3) > 0) {
                takeCompleted();
            }
        }
        guest.source.remaining = Long.MAX_VALUE;
        for (int drains = 0; drains < 20 && !outstanding.isEmpty(); drains++) {
            runWithRestart(() -> queue.drain());
            takeCompleted();
        }
        assertTrue(outstanding.isEmpty(), "not completed: " + outstanding);
        assertFalse(guest.driver.hasUsed());
        assertNothingInFlight();
        return crashes > 0;
    }

    /** Runs a step. If the device crashes, starts another one, which may crash too. */
    private void runWithRestart(Runnable step) {
        try {
            step.run();
        } catch (StoreCrashPoint.SimulatedCrash crash) {
            crashes++;
            if (crashes == 1) {
                StoreCrashPoint.crashAfter(secondCrash);
            }
            // The guest continues to run before the next device starts.
            if (random.nextBoolean()) {
                takeCompleted();
                makeSomeAvailable();
            }
            runWithRestart(this::start);
        }
    }

    /** Starts a device at the initial base, which is the only base that the front-end knows after a crash. */
    private void start() {
        try {
            queue = guest.device.start(guest.config(base));
            guest.positionContinued = true;
        } catch (InvalidVirtqueueException | MemoryNotReadyException invalid) {
            throw new AssertionError(invalid);
        }
    }

    private void makeSomeAvailable() {
        for (int requests = random.nextInt(4); requests > 0 && guest.driver.freeDescriptors() > 0; requests--) {
            outstanding.add(makeRequestAvailable());
        }
    }

    private int makeRequestAvailable() {
        int descriptors = 1 + random.nextInt(Math.min(3, guest.driver.freeDescriptors()));
        long start = RngTestGuest.SECOND_REGION + (long) requestCount++ * 2 * BUFFER_BYTES;
        DriverBufferElement[] chain = IntStream.range(0, descriptors)
                .mapToObj(i -> DriverBufferElement.writable(
                        start + (long) i * BUFFER_BYTES / descriptors, BUFFER_BYTES / descriptors))
                .toArray(DriverBufferElement[]::new);
        if (random.nextInt(3) > 0) {
            return guest.makeAvailable(chain);
        }
        long table = RngTestGuest.BUFFERS + requestCount * 64L;
        int id = guest.driver.addIndirectBuffer(
                guest.firstRegion.asSlice(table - RngTestGuest.FIRST_REGION, 64), table, chain);
        guest.driver.makeAvailable(id);
        return id;
    }

    /** Takes all used buffers. The driver throws if the device returns an unknown ID, or the same ID twice. */
    private void takeCompleted() {
        while (guest.driver.popUsed()) {
            assertEquals(outstanding.remove(), guest.driver.usedId());
            assertTrue(guest.driver.usedLength() >= 1 && guest.driver.usedLength() <= BUFFER_BYTES);
        }
    }

    private void assertNothingInFlight() {
        StoreCrashPoint.crashAfter(Long.MAX_VALUE);
        int finalBase = guest.stop(guest.start(base));
        assertEquals(guest.driver.vringBase(), finalBase);
    }
}
