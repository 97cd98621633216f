package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random accesses of any width at any offset of every region, mixed with valid steps of a driver and events of the
 * host. The function keeps its invariants after each of them.
 */
class RandomRegisterAccessTest {
    private static final int QUEUES = 2;
    private static final int STEPS = 3000;
    private static final int[] STATUS_VALUES = {0, 1, 3, 0xb, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0x4f, 0xff};

    private static final class Run {
        private final Random random;
        private final VirtioPciTestDriver driver = new VirtioPciTestDriver(QUEUES);
        private final int powerControl = driver.capability(1) + 4;
        private final int msixControl = driver.capability(0x11) + 2;
        private final int deviceControl = driver.capability(0x10) + 8;

        Run(long seed) {
            random = new Random(seed);
        }

        void step() {
            switch (random.nextInt(16)) {
                case 0 -> driver.writeConfig(4, 2, random.nextInt(3) == 0 ? random.nextInt() : 6);
                case 1 -> driver.writeConfig(powerControl, 2, random.nextInt(8) == 0 ? 3 : 0);
                case 2 -> driver.writeConfig(msixControl, 2, random.nextInt(4) << 14);
                case 3 -> driver.writeDriverFeatures(random.nextInt(8) == 0 ? random.nextLong() : 0x145_0000_0000L);
                case 4, 5 -> driver.writeStatus(STATUS_VALUES[random.nextInt(STATUS_VALUES.length)]);
                case 6 -> driver.enableQueue(random.nextInt(QUEUES + 1));
                case 7 -> driver.writeCommon(0x10 + 10 * random.nextInt(2), 2, random.nextInt(4));
                case 8 -> driver.write(VirtioPciTestDriver.BAR, VirtioPciTestDriver.NOTIFY + random.nextInt(9), 4, 0);
                case 9 -> driver.function.usedBufferNotification(random.nextInt(QUEUES + 2) - 1);
                case 10 -> eventOfTheHost();
                case 11 -> driver.writeConfig(deviceControl, 2, random.nextInt(20) == 0 ? 0x8000 : 0);
                default -> anyAccess();
            }
        }

        private void eventOfTheHost() {
            switch (random.nextInt(10)) {
                case 0 -> driver.function.reset();
                case 1 -> driver.function.virtqueueBroken(random.nextInt(QUEUES + 2) - 1);
                case 2 -> driver.writeCommon(0x3a, 2, 1);
                default -> driver.function.usedBufferNotification(random.nextInt(QUEUES));
            }
        }

        private void anyAccess() {
            int region = random.nextInt(9);
            int width = 1 + random.nextInt(12);
            int size = (int) driver.function.regionSize(region);
            int range = random.nextBoolean() ? 0x100 : size + 16;
            int offset = random.nextInt(range) + (region == VirtioPciTestDriver.BAR ? random.nextInt(4) << 12 : 0);
            if (random.nextBoolean()) {
                driver.read(region, offset, width);
            } else {
                driver.write(region, offset, width, random.nextBoolean() ? random.nextInt(4) : random.nextLong());
            }
        }

        void check() {
            int command = driver.config(4, 2);
            boolean d0 = (driver.config(powerControl, 2) & 3) == 0;
            assertEquals(d0 && (command & 4) != 0, driver.host.busMaster);
            boolean interruptStatus = (driver.config(6, 2) & 8) != 0;
            assertEquals(d0 && interruptStatus && (command & 0x400) == 0, driver.host.intx);
            if (d0) {
                checkStructures();
            }
        }

        private void checkStructures() {
            int status = driver.status();
            boolean ready = (status & 0xcc) == 0xc;
            Set<Integer> enabled = enabled();
            if (ready && driver.host.busMaster) {
                assertEquals(enabled, driver.host.started);
            }
            if ((status & 4) == 0 || (status & 0x80) != 0) {
                assertEquals(Set.of(), driver.host.started);
            }
            assertTrue(enabled.containsAll(driver.host.started));
            assertTrue((status & 4) == 0 || (status & 8) != 0, "DRIVER_OK without FEATURES_OK");
            assertEquals(0, driver.read(VirtioPciTestDriver.MSIX_BAR, 0x800, 8) & -8L);
        }

        private Set<Integer> enabled() {
            int select = driver.common(0x16, 2);
            Set<Integer> enabled = new TreeSet<>();
            for (int queue = 0; queue < QUEUES; queue++) {
                driver.writeCommon(0x16, 2, queue);
                if (driver.common(0x1c, 2) == 1) {
                    enabled.add(queue);
                }
            }
            driver.writeCommon(0x16, 2, select);
            return enabled;
        }
    }

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void keepsItsInvariants(long seed) {
        Run run = new Run(seed);

        for (int i = 0; i < STEPS && !Thread.currentThread().isInterrupted(); i++) {
            run.step();
            run.check();
        }
    }
}
