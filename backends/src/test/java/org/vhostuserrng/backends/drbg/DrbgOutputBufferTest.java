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
    private final DrbgOutputBuffer block = new DrbgOutputBuffer(arena);
    private final byte[] content;

    DrbgOutputBufferTest() {
        AesProvider aes = AesProvider.best();
        CtrDrbg drbg = new CtrDrbg(aes, new BlockCipherDf(aes, arena), arena);
        drbg.instantiate(new byte[CtrDrbg.MIN_ENTROPY_BYTES], new byte[CtrDrbg.MIN_NONCE_BYTES], CtrDrbg.NONE);
        block.refill(drbg);
        content = memory();
    }

    private byte[] memory() {
        return block.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void givesOutEachByteOnceAndKeepsNoCopyOfIt(long seed) {
        Random random = new Random(seed);
        byte[] taken = new byte[content.length];
        byte[] expectedLeft = content.clone();

        int at = 0;
        while (!block.isEmpty()) {
            int wanted = Math.min(1 + random.nextInt(300), taken.length - at);
            int moved = block.moveTo(MemorySegment.ofArray(taken), at, wanted);
            Arrays.fill(expectedLeft, at, at + moved, (byte) 0);
            at += moved;
            assertArrayEquals(expectedLeft, memory());
        }

        assertArrayEquals(content, taken);
    }

    @Test
    void givesNoMoreThanItHas() {
        byte[] target = new byte[content.length + 1];

        assertEquals(content.length, block.moveTo(MemorySegment.ofArray(target), 0, target.length));
    }

    @Test
    void doesNotGiveOutAgainWhatCouldNotBeCopied() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[2]);

        assertThrows(IndexOutOfBoundsException.class, () -> block.moveTo(tooSmall, 0, 3));

        byte[] target = new byte[1];
        block.moveTo(MemorySegment.ofArray(target), 0, 1);
        assertEquals(content[3], target[0]);
        assertArrayEquals(new byte[4], Arrays.copyOf(memory(), 4));
    }

    @Test
    void isEmptyAndZeroAfterAWipe() {
        block.wipe();

        assertTrue(block.isEmpty());
        assertArrayEquals(new byte[content.length], memory());
    }
}
