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

/** Tests with a fake instruction. */
class CpuRngSourceTest {
    private final MemorySegment target = Arena.ofAuto().allocate(4096, Long.BYTES);
    private WakeablePoller poller;
    private long next = 1;

    @BeforeEach
    void openPoller() throws IOException {
        poller = WakeablePoller.open();
    }

    @AfterEach
    void closePoller() {
        poller.close();
    }

    private static CpuRngSource source(CpuRngSource.RandomWordFiller filler) {
        return new CpuRngSource(filler, Instruction.RDSEED, false);
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
    void returnsWordsOfTheInstruction() throws IOException {
        CpuRngSource source = source(this::count);

        int read = source.read(target, 8, 16, poller);

        assertEquals(16, read);
        assertEquals(0, target.getAtIndex(ValueLayout.JAVA_LONG, 0));
        assertEquals(1, target.getAtIndex(ValueLayout.JAVA_LONG, 1));
        assertEquals(2, target.getAtIndex(ValueLayout.JAVA_LONG, 2));
    }

    @Test
    void fillsPartOfAWord() throws IOException {
        CpuRngSource source = source(this::count);

        int read = source.read(target, 0, 9, poller);

        assertEquals(9, read);
        assertArrayEquals(
                new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 2, 0}, target.asSlice(0, 10).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void returnsNoDataWhenExhausted() throws IOException {
        CpuRngSource source = source((words, wanted) -> 0);

        assertEquals(BlockingEntropySource.NO_DATA, source.read(target, 0, 64, poller));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 99})
    void rejectsWordsOfDefectiveProcessors(long word) {
        CpuRngSource source = source((words, wanted) -> constant(words, word));

        assertThrows(IOException.class, () -> source.read(target, 0, 64, poller));
        assertEquals(-1, target.mismatch(Arena.ofAuto().allocate(4096)));
    }

    @Test
    void rejectsWordRepeatedAcrossReads() throws IOException {
        CpuRngSource source = source((words, wanted) -> {
            words.setAtIndex(ValueLayout.JAVA_LONG, 0, 7);
            return 1;
        });
        source.read(target, 0, 8, poller);

        assertThrows(IOException.class, () -> source.read(target, 0, 8, poller));
    }

    @Test
    void discardsReadAheadOfDefectiveProcessor() {
        CpuRngSource source = source((words, wanted) -> constant(words, 0));

        assertThrows(DiscardReadAheadException.class, () -> source.read(target, 0, 64, poller));
    }

    @Test
    void fillsInSmallBatches() throws IOException {
        CpuRngSource source = source((words, wanted) -> {
            assertTrue(wanted <= 64, wanted + " words at once");
            return count(words, wanted);
        });

        int read = source.read(target, 0, 4096, poller);

        assertEquals(4096, read);
        assertEquals(512, target.getAtIndex(ValueLayout.JAVA_LONG, 511));
    }

    /** DRNG Software Implementation Guide §5.2.1: RDRAND is defective if all retries fail. */
    @Test
    void exhaustedRdrandIsAFailure() {
        CpuRngSource source = new CpuRngSource((words, wanted) -> 0, Instruction.RDRAND, false);

        assertThrows(IOException.class, () -> source.read(target, 0, 64, poller));
    }

    /** DRNG Software Implementation Guide §5.2.5: one of 512 samples has a fresh seed. */
    @Test
    void forcedReseedReturnsEvery512thSample() throws IOException {
        CpuRngSource source = new CpuRngSource(this::count, Instruction.RDRAND, true);

        int first = source.read(target, 0, 16, poller);
        int second = source.read(target, 16, 40, poller);

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
