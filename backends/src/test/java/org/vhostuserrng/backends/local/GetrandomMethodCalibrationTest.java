package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests with simulated processors, on which a call takes a fixed time plus a time per byte, in nanoseconds. */
class GetrandomMethodCalibrationTest {
    private long now;
    private int runs;

    private GetrandomMethodTable run(IntToLongFunction vdso, IntToLongFunction syscall, long tick, int hiccupEvery) {
        return new GetrandomMethodCalibration(
                        () -> now / tick * tick,
                        (length, calls) -> pass(calls * vdso.applyAsLong(length), hiccupEvery),
                        (length, calls) -> pass(calls * syscall.applyAsLong(length), hiccupEvery))
                .run();
    }

    private GetrandomMethodTable run(IntToLongFunction vdso, IntToLongFunction syscall) {
        return run(vdso, syscall, 1, Integer.MAX_VALUE);
    }

    private void pass(long nanos, int hiccupEvery) {
        runs++;
        now += nanos + (runs % hiccupEvery == 0 ? 50_000 : 0);
    }

    @Test
    void usesTheVdsoForAllLengthsWhereItsCipherIsFaster() {
        GetrandomMethodTable methods = run(length -> 30 + 2L * length, length -> 300 + 5L * length / 2);

        assertEquals(GetrandomMethodTable.always(GetrandomMethod.VDSO).toString(), methods.toString());
    }

    @Test
    void usesTheSyscallForLongRequestsWhereItsCipherIsFaster() {
        GetrandomMethodTable methods = run(length -> 40 + 23L * length / 10, length -> 200 + 17L * length / 10);

        assertEquals("64 B: vdso, 256 B: syscall, 1024 B: syscall, 4096 B: syscall", methods.toString());
    }

    @Test
    void usesTheSyscallForAllLengthsWhereTheVdsoIsSlow() {
        GetrandomMethodTable methods = run(length -> 900 + 5L * length, length -> 100 + 2L * length);

        assertEquals(GetrandomMethodTable.always(GetrandomMethod.SYSCALL).toString(), methods.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void ignoresRunsThatWereInterrupted(int hiccupEvery) {
        GetrandomMethodTable methods =
                run(length -> 40 + 23L * length / 10, length -> 200 + 17L * length / 10, 1, hiccupEvery);

        assertEquals("64 B: vdso, 256 B: syscall, 1024 B: syscall, 4096 B: syscall", methods.toString());
    }

    @Test
    void keepsTheDefaultIfTheClockIsTooCoarse() {
        GetrandomMethodTable methods = run(length -> 100, length -> 90, 1_000_000_000, Integer.MAX_VALUE);

        assertEquals("64 B: vdso, 256 B: syscall, 1024 B: syscall, 4096 B: syscall", methods.toString());
    }

    @Test
    void keepsTheDefaultIfTheDifferenceIsSmall() {
        GetrandomMethodTable methods = run(length -> 1000, length -> 980);

        assertEquals("64 B: vdso, 256 B: syscall, 1024 B: syscall, 4096 B: syscall", methods.toString());
    }

    @Test
    void measuresLessOnASlowHost() {
        run(length -> 1_000_000, length -> 1_000_000);

        assertTrue(runs <= 2 + 4 * 2 * 2, () -> runs + " runs");
    }
}
