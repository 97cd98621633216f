package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XorSourceTest {
    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final FakeEntropySource first = new FakeEntropySource(1);
    private final FakeEntropySource second = new FakeEntropySource(2);
    private final XorSource xor = new XorSource(first, second, clocks.detector());

    /** Returns the XOR of the first bytes of both sources. */
    private static byte[] xorOfBoth(int length) {
        byte[] xorOfBoth = FakeEntropySource.read(new FakeEntropySource(1), length);
        byte[] other = FakeEntropySource.read(new FakeEntropySource(2), length);
        for (int i = 0; i < length; i++) {
            xorOfBoth[i] ^= other[i];
        }
        return xorOfBoth;
    }

    @Test
    void returnsXorOfBothSources() {
        assertArrayEquals(xorOfBoth(64), FakeEntropySource.read(xor, 64));
    }

    @Test
    void canBeNested() {
        XorSource twice = new XorSource(new FakeEntropySource(3), xor, clocks.detector());
        byte[] third = FakeEntropySource.read(new FakeEntropySource(3), 64);

        byte[] read = FakeEntropySource.read(twice, 64);

        byte[] expected = xorOfBoth(64);
        for (int i = 0; i < 64; i++) {
            expected[i] ^= third[i];
        }
        assertArrayEquals(expected, read);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void pairsBytesWhateverTheReadSizes(long seed) {
        Random random = new Random(seed);
        ByteArrayOutputStream read = new ByteArrayOutputStream();

        while (read.size() < 10_000) {
            first.withSupply(random.nextInt(3000)).inPiecesOf(1 + random.nextInt(1500));
            second.withSupply(random.nextInt(300)).inPiecesOf(1 + random.nextInt(1500));
            read.writeBytes(FakeEntropySource.read(xor, 1 + random.nextInt(3000)));
        }

        assertArrayEquals(xorOfBoth(read.size()), read.toByteArray());
    }

    @Test
    void waitsForFirstSource() {
        first.withSupply(0);

        assertEquals(EntropySource.WOULD_BLOCK, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void writesNothingWhileWaitingForSecondSource() {
        second.withSupply(0);
        byte[] target = new byte[8];

        int filled = xor.fill(MemorySegment.ofArray(target), 0, 8);

        assertEquals(EntropySource.WOULD_BLOCK, filled);
        assertArrayEquals(new byte[8], target);
    }

    @Test
    void isSharedIfStarvedSourceIsShared() {
        first.withSupply(8).shared();

        FakeEntropySource.read(xor, 16);
        FakeEntropySource.read(xor, 16);

        assertTrue(xor.isSharedByGuests());
    }

    @Test
    void isNotSharedIfStarvedSourceIsNotShared() {
        first.shared();
        second.withSupply(0);

        FakeEntropySource.read(xor, 16);

        assertFalse(xor.isSharedByGuests());
    }

    @Test
    void failsIfFirstSourceFails() {
        first.broken(true);

        assertEquals(EntropySource.FAILED, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void failsIfSecondSourceFails() {
        second.broken(true);

        assertEquals(EntropySource.FAILED, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void bytesOfFailedCopyAreNotReused() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[4]);

        assertThrows(IndexOutOfBoundsException.class, () -> xor.fill(tooSmall, 0, 8));

        byte[] all = xorOfBoth(16);
        byte[] next = FakeEntropySource.read(xor, 8);
        assertArrayEquals(Arrays.copyOfRange(all, 8, 16), next);
    }

    @Test
    void discardsBufferedBytesAfterAForkOfTheMachine() {
        second.withSupply(0);
        FakeEntropySource.read(xor, 8);
        second.withSupply(FakeEntropySource.ENDLESS);
        clocks.jumpRealtime(1000);

        FakeEntropySource.read(xor, 8);

        assertEquals(16, first.bytesRead());
        assertEquals(8, second.bytesRead());
    }

    @Test
    void closesBothSources() {
        xor.close();

        assertTrue(first.isClosed() && second.isClosed());
    }
}
