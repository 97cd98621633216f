package org.vhostuserrng.backends.readahead;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class ReadAheadBlockTest {
    private final ReadAheadBlock block = filledWith(1, 2, 3, 4);

    private static ReadAheadBlock filledWith(int... bytes) {
        ReadAheadBlock block = new ReadAheadBlock();
        for (int i = 0; i < bytes.length; i++) {
            block.memory().set(ValueLayout.JAVA_BYTE, i, (byte) bytes[i]);
        }
        block.setFilled(bytes.length, 0);
        return block;
    }

    @Test
    void drainsBytesInOrder() {
        byte[] target = new byte[4];

        int first = block.drainTo(MemorySegment.ofArray(target), 0, 3);
        int rest = block.drainTo(MemorySegment.ofArray(target), 3, 3);

        assertEquals(3, first);
        assertEquals(1, rest);
        assertArrayEquals(new byte[] {1, 2, 3, 4}, target);
        assertTrue(block.isEmpty());
    }

    @Test
    void wipesDrainedBytes() {
        block.drainTo(MemorySegment.ofArray(new byte[4]), 0, 3);

        assertArrayEquals(new byte[] {0, 0, 0, 4}, block.memory().asSlice(0, 4).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void bytesOfFailedCopyAreNotReused() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[2]);

        assertThrows(IndexOutOfBoundsException.class, () -> block.drainTo(tooSmall, 0, 3));

        byte[] target = new byte[1];
        block.drainTo(MemorySegment.ofArray(target), 0, 1);
        assertArrayEquals(new byte[] {4}, target);
    }

    @Test
    void isEmptyAndZeroAfterWipe() {
        block.wipe();

        assertTrue(block.isEmpty());
        assertEquals(-1, block.memory().mismatch(new ReadAheadBlock().memory()));
    }
}
