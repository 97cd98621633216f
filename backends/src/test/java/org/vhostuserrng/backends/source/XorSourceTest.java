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
    private final FakeEntropySource first = new FakeEntropySource(1);
    private final FakeEntropySource second = new FakeEntropySource(2);
    private final XorSource xor = new XorSource(first, second);

    /** The first bytes of both, joined. */
    private static byte[] joined(int length) {
        byte[] joined = FakeEntropySource.take(new FakeEntropySource(1), length);
        byte[] other = FakeEntropySource.take(new FakeEntropySource(2), length);
        for (int i = 0; i < length; i++) {
            joined[i] ^= other[i];
        }
        return joined;
    }

    @Test
    void joinsBothSources() {
        assertArrayEquals(joined(64), FakeEntropySource.take(xor, 64));
    }

    @Test
    void joinsSourcesThatAreJoinedThemselves() {
        XorSource twice = new XorSource(new FakeEntropySource(3), xor);
        byte[] third = FakeEntropySource.take(new FakeEntropySource(3), 64);

        byte[] taken = FakeEntropySource.take(twice, 64);

        byte[] expected = joined(64);
        for (int i = 0; i < 64; i++) {
            expected[i] ^= third[i];
        }
        assertArrayEquals(expected, taken);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void neverGetsOutOfStepWhateverThePieces(long seed) {
        Random random = new Random(seed);
        ByteArrayOutputStream taken = new ByteArrayOutputStream();

        while (taken.size() < 10_000) {
            first.withSupply(random.nextInt(3000)).inPiecesOf(1 + random.nextInt(1500));
            second.withSupply(random.nextInt(300)).inPiecesOf(1 + random.nextInt(1500));
            taken.writeBytes(FakeEntropySource.take(xor, 1 + random.nextInt(3000)));
        }

        assertArrayEquals(joined(taken.size()), taken.toByteArray());
    }

    @Test
    void waitsForTheFirst() {
        first.withSupply(0);

        assertEquals(EntropySource.NOT_NOW, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void waitsForTheSecondAndWritesNothingOfTheFirst() {
        second.withSupply(0);
        byte[] target = new byte[8];

        int filled = xor.fill(MemorySegment.ofArray(target), 0, 8);

        assertEquals(EntropySource.NOT_NOW, filled);
        assertArrayEquals(new byte[8], target);
    }

    @Test
    void waitsForWhatIsEverybodysIfTheOneThatHasNothingIs() {
        first.withSupply(8).shared();

        FakeEntropySource.take(xor, 16);
        FakeEntropySource.take(xor, 16);

        assertTrue(xor.isShared());
    }

    @Test
    void waitsForItsOwnIfTheOneThatHasNothingIsNotEverybodys() {
        first.shared();
        second.withSupply(0);

        FakeEntropySource.take(xor, 16);

        assertFalse(xor.isShared());
    }

    @Test
    void failsWithTheFirst() {
        first.breaking(true);

        assertEquals(EntropySource.FAILED, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void failsWithTheSecond() {
        second.breaking(true);

        assertEquals(EntropySource.FAILED, xor.fill(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    @Test
    void doesNotGiveOutAgainWhatCouldNotBeCopied() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[4]);

        assertThrows(IndexOutOfBoundsException.class, () -> xor.fill(tooSmall, 0, 8));

        byte[] all = joined(16);
        byte[] next = FakeEntropySource.take(xor, 8);
        assertArrayEquals(Arrays.copyOfRange(all, 8, 16), next);
    }

    @Test
    void closesBoth() {
        xor.close();

        assertTrue(first.isClosed() && second.isClosed());
    }
}
