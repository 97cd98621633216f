package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A device that is killed before any of its stores, and its successor killed before any of its first ones, leave behind
 * what makes the next one complete each request exactly once and in order (vhost-user, "Inflight I/O tracking").
 */
class InflightCrashRecoveryTest {
    private static final int SEEDS = 10;
    private static final int SECOND_KILLS = 40;

    private final ClassLoader device = new CrashInjectedDevice();

    static Stream<Arguments> runs() {
        return Stream.of(false, true)
                .flatMap(packed ->
                        Stream.iterate(0L, seed -> seed + 1).limit(SEEDS).map(seed -> Arguments.of(packed, seed)));
    }

    @AfterEach
    void letAllStoresHappen() {
        StoreCrashPoint.allow(Long.MAX_VALUE);
    }

    @ParameterizedTest(name = "packed {0}, seed {1}")
    @MethodSource("runs")
    void completesEachRequestExactlyOnceWhateverStoreWasTheLast(boolean packed, long seed) throws Exception {
        int firstKill = 0;
        while (run(packed, seed, firstKill)) {
            firstKill++;
        }

        assertTrue(firstKill > 20, "stores: " + firstKill);
    }

    private boolean run(boolean packed, long seed, int firstKill) throws Exception {
        long secondKill = (firstKill * 7L + seed) % SECOND_KILLS;
        try {
            return (Boolean) device.loadClass(DeviceCrashScenario.class.getName())
                    .asSubclass(Callable.class)
                    .getConstructor(boolean.class, long.class, long.class, long.class)
                    .newInstance(packed, seed, (long) firstKill, secondKill)
                    .call();
        } catch (Error | Exception failed) {
            throw new AssertionError("killed before store " + firstKill + ", then " + secondKill, failed);
        }
    }
}
