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
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests a driver and a device on separate threads. The driver sleeps until an interrupt, the device until a kick.
 * Before it sleeps, each side enables notifications and checks the ring again. After a lost notification, both sides
 * would sleep forever.
 *
 * <p>Runs for one second per case; {@code -Drace.seconds=600} increases the duration.
 */
class LostNotificationRaceTest {
    private static final long DURATION = TimeUnit.SECONDS.toNanos(Integer.getInteger("race.seconds", 1));
    private static final int MIN_REQUESTS = 1000;
    private static final long TIMEOUT = TimeUnit.SECONDS.toNanos(60);

    /** Simulates an eventfd: a read resets the count of signals. */
    private static final class Signal {
        private final AtomicInteger count = new AtomicInteger();

        void signal() {
            count.incrementAndGet();
        }

        boolean read() {
            return count.get() != 0 && count.getAndSet(0) != 0;
        }

        void await(String failure) {
            long start = System.nanoTime();
            for (int i = 1; !read(); i++) {
                spin(i, start, failure);
            }
        }
    }

    private static void spin(int iteration, long start, String failure) {
        Thread.onSpinWait();
        if (iteration % 4096 == 0) {
            LockSupport.parkNanos(1);
            assertTrue(System.nanoTime() - start < TIMEOUT, failure);
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
                if (kick.read()) {
                    drain();
                }
                Thread.onSpinWait();
                if (i % 4096 == 0) {
                    LockSupport.parkNanos(1);
                }
            }
        }

        private void drain() {
            DrainResult result;
            do {
                long before = guest.notifier.count();
                result = queue.drain();
                if (guest.notifier.count() != before) {
                    call.signal();
                }
            } while (result == DrainResult.BUDGET_SPENT);
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
            while (System.nanoTime() < end || requests < MIN_REQUESTS) {
                makeSomeAvailable();
                if (random.nextBoolean()) {
                    sleepUntilUsed();
                } else {
                    pollUntilUsed();
                }
            }
        }

        private void makeSomeAvailable() {
            for (int i = random.nextInt(3); i >= 0 && ring.freeDescriptors() > 0; i--) {
                ring.makeAvailable(ring.addWritableBuffer(RngTestGuest.SECOND_REGION, 8));
                outstanding++;
                requests++;
            }
            if (ring.needsKick()) {
                kick.signal();
            }
        }

        private void takeAllUsed() {
            while (ring.popUsed()) {
                assertEquals(8, ring.usedLength());
                outstanding--;
            }
        }

        /** Sleeps until all requests, or all requests except one, are used. */
        private void sleepUntilUsed() {
            int maxOutstanding = random.nextInt(2);
            takeAllUsed();
            while (outstanding > maxOutstanding) {
                if (!ring.enableInterrupts()) {
                    call.await("a kick or an interrupt was lost");
                }
                takeAllUsed();
            }
        }

        private void pollUntilUsed() {
            ring.disableInterrupts();
            long start = System.nanoTime();
            takeAllUsed();
            for (int i = 1; outstanding > 0; i++) {
                spin(i, start, "a kick was lost");
                takeAllUsed();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void losesNoKickAndNoInterrupt(boolean packed, boolean eventIdx) throws InterruptedException {
        int size = packed ? 5 : 4;
        RngTestGuest<?> guest = RngTestGuest.of(packed, size, eventIdx ? VirtioConstants.VIRTIO_F_EVENT_IDX : 0);
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
    }
}
