package org.vhostuserrng.backends.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/** Tests the machine code. Skipped on processors without the instructions. */
class RdrandRdseedTest {
    private static void assumePresent(Instruction instruction) throws IOException {
        String cpuinfo = Files.readString(Path.of("/proc/cpuinfo"));
        assumeTrue(cpuinfo.contains(" " + instruction + " "), "this processor has no " + instruction);
    }

    @ParameterizedTest
    @EnumSource(Instruction.class)
    void fillsReturnedNumberOfWords(Instruction instruction) throws IOException {
        assumePresent(instruction);
        RdrandRdseed random = RdrandRdseed.load(instruction);
        MemorySegment words = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 101);

        int filled = random.fill(words, 100);

        Set<Long> values = new HashSet<>();
        for (int i = 0; i < filled; i++) {
            values.add(words.getAtIndex(ValueLayout.JAVA_LONG, i));
        }
        assertNotEquals(0, filled);
        assertEquals(filled, values.size());
        assertEquals(0, words.getAtIndex(ValueLayout.JAVA_LONG, filled));
    }

    @ParameterizedTest
    @EnumSource(Instruction.class)
    void fillsNothingForZeroWords(Instruction instruction) throws IOException {
        assumePresent(instruction);

        assertEquals(0, RdrandRdseed.load(instruction).fill(Arena.ofAuto().allocate(8), 0));
    }
}
