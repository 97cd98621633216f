package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrbgOutputBufferTest {
    private final Arena arena = Arena.ofAuto();
    private final DrbgOutputBuffer buffer = new DrbgOutputBuffer(arena);
    private final byte[] content;

    DrbgOutputBufferTest() {
        byte[] scratch = new byte[Aes256.SCRATCH_BYTES];
        CtrDrbg drbg = new CtrDrbg(new BlockCipherDf(scratch, arena), scratch, arena);
        drbg.instantiate(new byte[CtrDrbg.MIN_ENTROPY_BYTES], new byte[CtrDrbg.MIN_NONCE_BYTES], CtrDrbg.NO_INPUT);
        buffer.refill(drbg, CtrDrbg.NO_INPUT);
        content = memory();
    }

    private byte[] memory() {
        return buffer.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void returnsEachByteOnceAndWipesIt(long seed) {
        Random random = new Random(seed);
        byte[] drained = new byte[content.length];
        byte[] expectedContent = content.clone();

        int at = 0;
        while (!buffer.isEmpty()) {
            int wanted = Math.min(1 + random.nextInt(300), drained.length - at);
            int count = buffer.drainTo(MemorySegment.ofArray(drained), at, wanted);
            Arrays.fill(expectedContent, at, at + count, (byte) 0);
            at += count;
            assertArrayEquals(expectedContent, memory());
        }

        assertArrayEquals(content, drained);
    }

    @Test
    void returnsNoMoreThanItHas() {
        byte[] target = new byte[content.length + 1];

        assertEquals(content.length, buffer.drainTo(MemorySegment.ofArray(target), 0, target.length));
    }

    @Test
    void bytesOfFailedCopyAreNotReused() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[2]);

        assertThrows(IndexOutOfBoundsException.class, () -> buffer.drainTo(tooSmall, 0, 3));

        byte[] target = new byte[1];
        buffer.drainTo(MemorySegment.ofArray(target), 0, 1);
        assertEquals(content[3], target[0]);
        assertArrayEquals(new byte[4], Arrays.copyOf(memory(), 4));
    }

    @Test
    void isEmptyAndZeroAfterWipe() {
        buffer.wipe();

        assertTrue(buffer.isEmpty());
        assertArrayEquals(new byte[content.length], memory());
    }
}
