package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A device may crash before any of its stores to memory, and its successor soon after. The next successor resumes from
 * the inflight region and completes each request exactly once and in order (vhost-user, "Inflight I/O tracking").
 */
class InflightCrashRecoveryTest {
    private static final int SEEDS = 10;
    private static final int SECOND_CRASHES = 40;

    private final ClassLoader deviceLoader = new CrashInjectingClassLoader();

    static Stream<Arguments> runs() {
        return Stream.of(false, true)
                .flatMap(packed ->
                        Stream.iterate(0L, seed -> seed + 1).limit(SEEDS).map(seed -> Arguments.of(packed, seed)));
    }

    @AfterEach
    void disableCrashes() {
        StoreCrashPoint.crashAfter(Long.MAX_VALUE);
    }

    @ParameterizedTest(name = "packed {0}, seed {1}")
    @MethodSource("runs")
    void completesEachRequestExactlyOnceAfterACrashBeforeAnyStore(boolean packed, long seed) throws Exception {
        int firstCrash = 0;
        while (run(packed, seed, firstCrash)) {
            firstCrash++;
        }

        assertTrue(firstCrash > 20, "number of stores: " + firstCrash);
    }

    private boolean run(boolean packed, long seed, int firstCrash) throws Exception {
        long secondCrash = (firstCrash * 7L + seed) % SECOND_CRASHES;
        try {
            return (Boolean) deviceLoader
                    .loadClass(DeviceCrashScenario.class.getName())
                    .asSubclass(Callable.class)
                    .getConstructor(boolean.class, long.class, long.class, long.class)
                    .newInstance(packed, seed, (long) firstCrash, secondCrash)
                    .call();
        } catch (Error | Exception failed) {
            throw new AssertionError("crash before store " + firstCrash + ", then before store " + secondCrash, failed);
        }
    }
}
