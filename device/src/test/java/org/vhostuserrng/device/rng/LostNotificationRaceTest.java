package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A driver and the device, each on a thread of its own, that sleep whenever they may: the driver until an interrupt, the
 * device until a kick. If one were lost between "is there more?" and "wake me", both would sleep for ever.
 *
 * <p>Runs for a second per case; {@code -Drace.seconds=600} for long.
 */
class LostNotificationRaceTest {
    private static final long DURATION = TimeUnit.SECONDS.toNanos(Integer.getInteger("race.seconds", 1));
    private static final long LOST = TimeUnit.SECONDS.toNanos(10);

    /** As an eventfd: counts signals, and reading takes them all. */
    private static final class Signal {
        private final AtomicInteger count = new AtomicInteger();

        void signal() {
            count.incrementAndGet();
        }

        boolean take() {
            return count.get() != 0 && count.getAndSet(0) != 0;
        }

        void await(String what) {
            long start = System.nanoTime();
            for (int i = 1; !take(); i++) {
                spin(i, start, what);
            }
        }
    }

    private static void spin(int turn, long start, String what) {
        Thread.onSpinWait();
        if (turn % 4096 == 0) {
            LockSupport.parkNanos(1);
            assertTrue(System.nanoTime() - start < LOST, what);
        }
    }

    private static final class Device implements Runnable {
        private final RngTestGuest<?> guest;
        private final Signal kick;
        private final Signal call;
        private final VirtqueueHandler queue;
        private final AtomicBoolean ended = new AtomicBoolean();

        Device(RngTestGuest<?> guest, Signal kick, Signal call) {
            this.guest = guest;
            this.queue = guest.start();
            this.kick = kick;
            this.call = call;
        }

        @Override
        public void run() {
            drain();
            for (int i = 1; !ended.get(); i++) {
                if (kick.take()) {
                    drain();
                }
                Thread.onSpinWait();
                if (i % 4096 == 0) {
                    LockSupport.parkNanos(1);
                }
            }
        }

        private void drain() {
            long next;
            do {
                long signalled = guest.call.count();
                next = queue.drain();
                if (guest.call.count() != signalled) {
                    call.signal();
                }
            } while (next == VirtqueueHandler.MORE);
        }
    }

    private static final class Driver {
        private final DriverRing ring;
        private final Signal kick;
        private final Signal call;
        private final Random random;
        private int outstanding;
        long requests;

        Driver(DriverRing ring, Signal kick, Signal call, Random random) {
            this.ring = ring;
            this.kick = kick;
            this.call = call;
            this.random = random;
        }

        void run() {
            long end = System.nanoTime() + DURATION;
            while (System.nanoTime() < end) {
                offer();
                if (random.nextBoolean()) {
                    sleepUntilUsed();
                } else {
                    pollUntilUsed();
                }
            }
        }

        private void offer() {
            for (int i = random.nextInt(3); i >= 0 && ring.freeDescriptors() > 0; i--) {
                ring.makeAvailable(ring.addWritableBuffer(RngTestGuest.SEAM, 8));
                outstanding++;
                requests++;
            }
            if (ring.needsKick()) {
                kick.signal();
            }
        }

        private void takeAll() {
            while (ring.popUsed()) {
                assertEquals(8, ring.usedLength());
                outstanding--;
            }
        }

        /** Sometimes not all of them, so that some are still under way at the next offer. */
        private void sleepUntilUsed() {
            int left = random.nextInt(2);
            takeAll();
            while (outstanding > left) {
                if (!ring.enableInterrupts()) {
                    call.await("a kick or an interrupt is lost");
                }
                takeAll();
            }
        }

        private void pollUntilUsed() {
            ring.disableInterrupts();
            long start = System.nanoTime();
            takeAll();
            for (int i = 1; outstanding > 0; i++) {
                spin(i, start, "a kick is lost");
                takeAll();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void loseNoKickAndNoInterrupt(boolean packed, boolean eventIdx) throws InterruptedException {
        int size = packed ? 5 : 4;
        RngTestGuest<?> guest = RngTestGuest.of(packed, size, eventIdx ? VirtioSpec.VIRTIO_F_EVENT_IDX : 0);
        Signal kick = new Signal();
        Signal call = new Signal();
        Device device = new Device(guest, kick, call);
        Driver driver = new Driver(guest.driver, kick, call, new Random(1));
        Thread thread = Thread.ofPlatform().start(device);
        try {
            driver.run();
        } finally {
            device.ended.set(true);
            thread.join();
        }

        assertTrue(driver.requests > 50, () -> driver.requests + " requests");
    }
}
