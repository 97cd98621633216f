package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.Seed.Progress;

class SeedTest {
    private static final int BITS = 256;
    private static final int BYTES = BITS / 8;

    private final MemorySegment staging = Arena.ofAuto().allocate(20);
    private final FakeSource one = new FakeSource(1);
    private final FakeSource two = new FakeSource(2);
    private final Seed seed = seed(new SeedInput("one", one, 8), new SeedInput("two", two, 8));

    private Seed seed(SeedInput... inputs) {
        return new Seed(List.of(inputs), BITS, staging);
    }

    private static byte[] bytesOf(long source) {
        return FakeSource.take(new FakeSource(source), BYTES);
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
        Seed weak = seed(new SeedInput("weak", one, 0.25));

        assertEquals(Progress.COMPLETE, weak.collect(0));
        assertEquals(BITS * 4, one.given());
    }

    @Test
    void waitsForTheRestOfAnInputAndKeepsWhatItHas() {
        one.withSupply(10);
        Progress first = seed.collect(0);
        one.withSupply(FakeSource.ENDLESS);

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
        assertEquals(Progress.NOT_NOW, seed.collect(Seed.PATIENCE_NANOS - 1));
        assertEquals(Progress.COMPLETE, seed.collect(Seed.PATIENCE_NANOS));
        assertEquals(List.of("one"), seed.leftOut());
    }

    @Test
    void leavesOutATrickleOnceAnotherInputIsComplete() {
        one.withSupply(1);
        seed.collect(0);
        one.withSupply(1);

        assertEquals(Progress.COMPLETE, seed.collect(Seed.PATIENCE_NANOS));
        assertEquals(List.of("one"), seed.leftOut());
    }

    @Test
    void waitsForATrickleThatIsAllThereIs() {
        Seed slow = seed(new SeedInput("one", one, 8));
        Progress progress = Progress.NOT_NOW;

        for (int i = 0; i < BYTES; i++) {
            assertEquals(Progress.NOT_NOW, progress);
            one.withSupply(1);
            progress = slow.collect(i * (Seed.PATIENCE_NANOS - 1));
        }

        assertEquals(Progress.COMPLETE, progress);
    }

    @Test
    void failsIfNoInputGivesEnough() {
        one.breaking(true);
        two.withSupply(BYTES - 1);
        seed.collect(0);

        assertEquals(Progress.FAILED, seed.collect(Seed.PATIENCE_NANOS));
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
