package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Random requests to a device that is killed before one of its stores, and once more soon after, each time with a
 * successor that has the same memory. Loaded by {@link CrashInjectedDevice}. The result is whether it lived to be killed.
 */
public final class DeviceCrashScenario implements Callable<Boolean> {
    private static final int ROUNDS = 7;
    private static final int BUFFER_BYTES = 64;

    private final Random random;
    private final RngTestGuest<? extends DriverRing> guest;
    private final int base;
    private final long secondKill;
    private final ArrayDeque<Integer> outstanding = new ArrayDeque<>();
    private VirtqueueHandler queue;
    private int kills;
    private int offered;

    /**
     * A run.
     *
     * @param firstKill how many stores happen before it
     * @param secondKill how many then
     */
    public DeviceCrashScenario(boolean packed, long seed, long firstKill, long secondKill) {
        random = new Random(seed);
        int size = packed ? 2 + random.nextInt(5) : 2 << random.nextInt(2);
        guest = RngTestGuest.of(packed, size, VirtioSpec.VIRTIO_F_INDIRECT_DESC | VirtioSpec.VIRTIO_F_EVENT_IDX);
        guest.resetRandomly(random);
        guest.recordInflight(size + random.nextInt(3));
        base = guest.driver.vringBase();
        this.secondKill = secondKill;
        StoreCrashPoint.allow(firstKill);
    }

    @Override
    public Boolean call() {
        survive(this::start);
        for (int round = 0; round < ROUNDS; round++) {
            offerSome();
            guest.source.atMost = 1 + random.nextInt(2 * BUFFER_BYTES);
            guest.source.left = random.nextInt(3) == 0 ? random.nextInt(3 * BUFFER_BYTES) : Long.MAX_VALUE;
            survive(() -> queue.drain());
            if (random.nextInt(4) == 0) {
                queue.stop();
                survive(this::start);
            }
            if (random.nextInt(3) > 0) {
                takeCompleted();
            }
        }
        guest.source.left = Long.MAX_VALUE;
        for (int turn = 0; turn < 20 && !outstanding.isEmpty(); turn++) {
            survive(() -> queue.drain());
            takeCompleted();
        }
        assertTrue(outstanding.isEmpty(), "never completed: " + outstanding);
        assertFalse(guest.driver.hasUsed());
        assertNothingIsUnderWay();
        return kills > 0;
    }

    /** Does it, unless the device is killed: then its successor starts, which may be killed in turn. */
    private void survive(Runnable step) {
        try {
            step.run();
        } catch (StoreCrashPoint.Killed killed) {
            kills++;
            if (kills == 1) {
                StoreCrashPoint.allow(secondKill);
            }
            // The guest goes on meanwhile.
            if (random.nextBoolean()) {
                takeCompleted();
                offerSome();
            }
            survive(this::start);
        }
    }

    /** The front-end knows no other base than the one that it began with. */
    private void start() {
        try {
            queue = guest.device.start(guest.setup(base));
        } catch (InvalidVirtqueueException | IotlbMissException invalid) {
            throw new AssertionError(invalid);
        }
    }

    private void offerSome() {
        for (int offers = random.nextInt(4); offers > 0 && guest.driver.freeDescriptors() > 0; offers--) {
            outstanding.add(offer());
        }
    }

    private int offer() {
        int pieces = 1 + random.nextInt(Math.min(3, guest.driver.freeDescriptors()));
        long start = RngTestGuest.SEAM + (long) offered++ * 2 * BUFFER_BYTES;
        DriverBufferElement[] chain = IntStream.range(0, pieces)
                .mapToObj(i ->
                        DriverBufferElement.writable(start + (long) i * BUFFER_BYTES / pieces, BUFFER_BYTES / pieces))
                .toArray(DriverBufferElement[]::new);
        if (random.nextInt(3) > 0) {
            return guest.offer(chain);
        }
        long table = RngTestGuest.BUFFERS + offered * 64L;
        int id = guest.driver.addIndirectBuffer(guest.first.asSlice(table - RngTestGuest.BASE, 64), table, chain);
        guest.driver.makeAvailable(id);
        return id;
    }

    /** A buffer that the device names twice, or does not have, makes the driver throw. */
    private void takeCompleted() {
        while (guest.driver.popUsed()) {
            assertEquals(outstanding.remove(), guest.driver.usedId());
            assertTrue(guest.driver.usedLength() >= 1 && guest.driver.usedLength() <= BUFFER_BYTES);
        }
    }

    private void assertNothingIsUnderWay() {
        StoreCrashPoint.allow(Long.MAX_VALUE);
        int base = guest.start(this.base).stop();
        assertEquals(guest.driver.vringBase(), base);
    }
}
