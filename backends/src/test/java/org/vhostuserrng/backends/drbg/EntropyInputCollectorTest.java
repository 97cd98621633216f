package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.drbg.EntropyInputCollector.Progress;
import org.vhostuserrng.backends.source.FakeEntropySource;

class EntropyInputCollectorTest {
    private static final int BITS = 256;
    private static final int BYTES = BITS / 8;

    private final MemorySegment staging = Arena.ofAuto().allocate(20);
    private final FakeEntropySource one = new FakeEntropySource(1);
    private final FakeEntropySource two = new FakeEntropySource(2);
    private final EntropyInputCollector seed =
            seed(new DrbgSeedSource("one", one, 8), new DrbgSeedSource("two", two, 8));

    private EntropyInputCollector seed(DrbgSeedSource... inputs) {
        return new EntropyInputCollector(List.of(inputs), BITS, staging);
    }

    private static byte[] bytesOf(long source) {
        return FakeEntropySource.take(new FakeEntropySource(source), BYTES);
    }

    private byte[] half(int half) {
        return Arrays.copyOfRange(seed.entropyInput(), half * BYTES, (half + 1) * BYTES);
    }

    @Test
    void isTheBytesOfAllInputs() {
        assertEquals(Progress.COMPLETE, seed.collect(0));

        assertArrayEquals(bytesOf(1), half(0));
        assertArrayEquals(bytesOf(2), half(1));
        assertEquals(List.of(), seed.leftOut());
    }

    @Test
    void takesNoMoreThanItNeeds() {
        seed.collect(0);

        assertEquals(BYTES, one.given());
    }

    @Test
    void takesMoreBytesTheLessEntropyTheyHave() {
        EntropyInputCollector weak = seed(new DrbgSeedSource("weak", one, 0.25));

        assertEquals(Progress.COMPLETE, weak.collect(0));
        assertEquals(BITS * 4, one.given());
    }

    @Test
    void waitsForTheRestOfAnInputAndKeepsWhatItHas() {
        one.withSupply(10);
        Progress first = seed.collect(0);
        one.withSupply(FakeEntropySource.ENDLESS);

        Progress second = seed.collect(1);

        assertEquals(Progress.NOT_NOW, first);
        assertEquals(Progress.COMPLETE, second);
        assertArrayEquals(bytesOf(1), half(0));
    }

    @Test
    void leavesOutAnInputThatFailsMidSeedWithAllItHasGiven() {
        two.withSupply(10);
        seed.collect(0);
        two.breaking(true);

        assertEquals(Progress.COMPLETE, seed.collect(1));
        assertArrayEquals(new byte[BYTES], half(1));
        assertEquals(List.of("two"), seed.leftOut());
    }

    @Test
    void leavesOutAnInputThatGivesNothingForLong() {
        one.withSupply(0);

        assertEquals(Progress.NOT_NOW, seed.collect(0));
        assertEquals(Progress.NOT_NOW, seed.collect(EntropyInputCollector.PATIENCE_NANOS - 1));
        assertEquals(Progress.COMPLETE, seed.collect(EntropyInputCollector.PATIENCE_NANOS));
        assertEquals(List.of("one"), seed.leftOut());
    }

    @Test
    void leavesOutATrickleOnceAnotherInputIsComplete() {
        one.withSupply(1);
        seed.collect(0);
        one.withSupply(1);

        assertEquals(Progress.COMPLETE, seed.collect(EntropyInputCollector.PATIENCE_NANOS));
        assertEquals(List.of("one"), seed.leftOut());
    }

    @Test
    void waitsForATrickleThatIsAllThereIs() {
        EntropyInputCollector slow = seed(new DrbgSeedSource("one", one, 8));
        Progress progress = Progress.NOT_NOW;

        for (int i = 0; i < BYTES; i++) {
            assertEquals(Progress.NOT_NOW, progress);
            one.withSupply(1);
            progress = slow.collect(i * (EntropyInputCollector.PATIENCE_NANOS - 1));
        }

        assertEquals(Progress.COMPLETE, progress);
    }

    @Test
    void failsIfNoInputGivesEnough() {
        one.breaking(true);
        two.withSupply(BYTES - 1);
        seed.collect(0);

        assertEquals(Progress.FAILED, seed.collect(EntropyInputCollector.PATIENCE_NANOS));
        assertArrayEquals(new byte[2 * BYTES], seed.entropyInput());
    }

    @Test
    void leavesNothingInItsStaging() {
        seed.collect(0);

        assertEquals(-1, staging.mismatch(MemorySegment.ofArray(new byte[20])));
    }

    @Test
    void isZeroAfterAWipe() {
        seed.collect(0);

        seed.wipe();

        assertArrayEquals(new byte[2 * BYTES], seed.entropyInput());
    }
}
