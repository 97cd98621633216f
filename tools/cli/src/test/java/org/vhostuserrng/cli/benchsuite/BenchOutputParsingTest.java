package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** Tests the parsers of the daemon's log and of the kernel's files. */
class BenchOutputParsingTest {
    @Test
    void longestIterationIsReadFromTheDaemonsLog() {
        String log = "listening on /run/rng, source getrandom\nstopping; longest event-loop iteration 812 µs\n";

        assertEquals(OptionalDouble.of(812), BenchBackendProcess.longestIterationMicros(log));
    }

    @Test
    void longestIterationIsEmptyForOtherLogs() {
        assertTrue(BenchBackendProcess.longestIterationMicros("bye\n").isEmpty());
    }

    @Test
    void cpuListWithRangesIsParsed() {
        assertEquals(List.of(0, 1, 2, 5), CpuAffinity.cpus("0-2,5"));
        assertEquals(List.of(7), CpuAffinity.cpus("7"));
    }

    @Test
    void cpuModelIsThatOfTheFirstProcessor() {
        assertEquals("AMD EPYC", BenchHostInfo.cpuModel("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: B\n"));
    }
}
