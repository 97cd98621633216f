package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** RDRAND and RDSEED as a source, with an instruction that a test makes up. */
class CpuRngSourceTest {
    private final MemorySegment target = Arena.ofAuto().allocate(4096, Long.BYTES);
    private WakeablePoller waiter;
    private long next = 1;

    @BeforeEach
    void openWaiter() throws IOException {
        waiter = WakeablePoller.open();
    }

    @AfterEach
    void closeWaiter() {
        waiter.close();
    }

    private static CpuRngSource reader(CpuRngSource.WordSource source) {
        return new CpuRngSource(source, Instruction.RDSEED, false);
    }

    private int count(MemorySegment words, int wanted) {
        for (int i = 0; i < wanted; i++) {
            words.setAtIndex(ValueLayout.JAVA_LONG, i, next++);
        }
        return wanted;
    }

    private static int constant(MemorySegment words, long value) {
        words.setAtIndex(ValueLayout.JAVA_LONG, 0, 99);
        words.setAtIndex(ValueLayout.JAVA_LONG, 1, value);
        return 2;
    }

    @Test
    void givesWhatTheInstructionGives() throws IOException {
        CpuRngSource reader = reader(this::count);

        int read = reader.read(target, 8, 16, waiter);

        assertEquals(16, read);
        assertEquals(0, target.getAtIndex(ValueLayout.JAVA_LONG, 0));
        assertEquals(1, target.getAtIndex(ValueLayout.JAVA_LONG, 1));
        assertEquals(2, target.getAtIndex(ValueLayout.JAVA_LONG, 2));
    }

    @Test
    void fillsALengthThatIsNoMultipleOfAWord() throws IOException {
        CpuRngSource reader = reader(this::count);

        int read = reader.read(target, 0, 9, waiter);

        assertEquals(9, read);
        assertArrayEquals(
                new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 2, 0}, target.asSlice(0, 10).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void givesNothingWhenTheProcessorIsExhausted() throws IOException {
        CpuRngSource reader = reader((words, wanted) -> 0);

        assertEquals(BlockingEntropySource.NOTHING, reader.read(target, 0, 64, waiter));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 99})
    void refusesWordsThatDefectiveProcessorsGive(long word) {
        CpuRngSource reader = reader((words, wanted) -> constant(words, word));

        assertThrows(IOException.class, () -> reader.read(target, 0, 64, waiter));
        assertEquals(-1, target.mismatch(Arena.ofAuto().allocate(4096)));
    }

    @Test
    void refusesAWordThatEndedTheReadBefore() throws IOException {
        CpuRngSource reader = reader((words, wanted) -> {
            words.setAtIndex(ValueLayout.JAVA_LONG, 0, 7);
            return 1;
        });
        reader.read(target, 0, 8, waiter);

        assertThrows(IOException.class, () -> reader.read(target, 0, 8, waiter));
    }

    @Test
    void takesBackWhatADefectiveProcessorGaveBefore() {
        CpuRngSource reader = reader((words, wanted) -> constant(words, 0));

        assertThrows(DiscardReadAheadException.class, () -> reader.read(target, 0, 64, waiter));
    }

    @Test
    void fillsAllThereIsRoomForInSmallBatches() throws IOException {
        CpuRngSource reader = reader((words, wanted) -> {
            assertTrue(wanted <= 64, wanted + " words at once");
            return count(words, wanted);
        });

        int read = reader.read(target, 0, 4096, waiter);

        assertEquals(4096, read);
        assertEquals(512, target.getAtIndex(ValueLayout.JAVA_LONG, 511));
    }

    /** DRNG Software Implementation Guide §5.2.1. */
    @Test
    void takesRdrandThatGivesNothingForAFailure() {
        CpuRngSource reader = new CpuRngSource((words, wanted) -> 0, Instruction.RDRAND, false);

        assertThrows(IOException.class, () -> reader.read(target, 0, 64, waiter));
    }

    /** DRNG Software Implementation Guide §5.2.5. */
    @Test
    void givesOneSampleOf128BitsOfEach512WhenReseedingIsForced() throws IOException {
        CpuRngSource reader = new CpuRngSource(this::count, Instruction.RDRAND, true);

        int first = reader.read(target, 0, 16, waiter);
        int second = reader.read(target, 16, 40, waiter);

        assertEquals(16, first);
        assertEquals(40, second);
        assertEquals(1023, target.getAtIndex(ValueLayout.JAVA_LONG, 0));
        assertEquals(1024, target.getAtIndex(ValueLayout.JAVA_LONG, 1));
        assertEquals(2047, target.getAtIndex(ValueLayout.JAVA_LONG, 2));
        assertEquals(3072, target.getAtIndex(ValueLayout.JAVA_LONG, 5));
        assertEquals(4095, target.getAtIndex(ValueLayout.JAVA_LONG, 6));
        assertEquals(0, target.getAtIndex(ValueLayout.JAVA_LONG, 7));
    }
}
