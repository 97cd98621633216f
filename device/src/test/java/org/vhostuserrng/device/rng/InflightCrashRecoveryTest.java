package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests devices that crash before any of their stores to memory. The next device may crash soon after. The last device
 * resumes from the inflight region (vhost-user, "Inflight I/O tracking"), or from the recorded position of a packed
 * virtqueue, and must complete each request exactly once and in order.
 */
class InflightCrashRecoveryTest {
    private static final int SEEDS = 10;
    /** Number of seeds for the recorded position, which needs fewer stores. */
    private static final int POSITION_SEEDS = 60;

    private static final int SECOND_CRASHES = 40;

    private final ClassLoader deviceLoader = new CrashInjectingClassLoader();

    static Stream<Arguments> runs() {
        return Stream.of(runs(false, false, SEEDS), runs(true, false, SEEDS), runs(true, true, POSITION_SEEDS))
                .flatMap(Function.identity());
    }

    private static Stream<Arguments> runs(boolean packed, boolean byPosition, int seeds) {
        return LongStream.range(0, seeds).mapToObj(seed -> Arguments.of(packed, byPosition, seed));
    }

    @AfterEach
    void disableCrashes() {
        StoreCrashPoint.crashAfter(Long.MAX_VALUE);
    }

    @ParameterizedTest(name = "packed {0}, by position {1}, seed {2}")
    @MethodSource("runs")
    void completesEachRequestExactlyOnceAfterACrashBeforeAnyStore(boolean packed, boolean byPosition, long seed)
            throws Exception {
        int firstCrash = 0;
        while (run(packed, byPosition, seed, firstCrash)) {
            firstCrash++;
        }

        assertTrue(firstCrash > 10, "number of stores: " + firstCrash);
    }

    private boolean run(boolean packed, boolean byPosition, long seed, int firstCrash) throws Exception {
        long secondCrash = (firstCrash * 7L + seed) % SECOND_CRASHES;
        try {
            return (Boolean) deviceLoader
                    .loadClass(DeviceCrashScenario.class.getName())
                    .asSubclass(Callable.class)
                    .getConstructor(boolean.class, boolean.class, long.class, long.class, long.class)
                    .newInstance(packed, byPosition, seed, (long) firstCrash, secondCrash)
                    .call();
        } catch (Error | Exception failed) {
            throw new AssertionError("crash before store " + firstCrash + ", then before store " + secondCrash, failed);
        }
    }
}
