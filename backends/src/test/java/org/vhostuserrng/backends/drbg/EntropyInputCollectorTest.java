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
    private final EntropyInputCollector collector =
            collector(new DrbgSeedSource("one", one, 8), new DrbgSeedSource("two", two, 8));
    private final EntropyInputCollector fromAll = new EntropyInputCollector(
            List.of(new DrbgSeedSource("one", one, 8), new DrbgSeedSource("two", two, 8)), BITS, staging, false);

    /** Creates a collector for which one source suffices. */
    private EntropyInputCollector collector(DrbgSeedSource... inputs) {
        return new EntropyInputCollector(List.of(inputs), BITS, staging, true);
    }

    private static byte[] bytesOf(long source) {
        return FakeEntropySource.read(new FakeEntropySource(source), BYTES);
    }

    private byte[] half(int half) {
        return Arrays.copyOfRange(collector.entropyInput(), half * BYTES, (half + 1) * BYTES);
    }

    @Test
    void concatenatesBytesOfAllSources() {
        assertEquals(Progress.COMPLETE, collector.collect(0));

        assertArrayEquals(bytesOf(1), half(0));
        assertArrayEquals(bytesOf(2), half(1));
        assertEquals(List.of(), collector.missingInputs());
    }

    @Test
    void readsNoMoreThanNeeded() {
        collector.collect(0);

        assertEquals(BYTES, one.bytesRead());
    }

    @Test
    void readsMoreBytesOfWeakerSource() {
        EntropyInputCollector weak = collector(new DrbgSeedSource("weak", one, 0.25));

        assertEquals(Progress.COMPLETE, weak.collect(0));
        assertEquals(BITS * 4, one.bytesRead());
    }

    @Test
    void keepsPartialInputWhileWaitingForTheRest() {
        one.withSupply(10);
        Progress first = collector.collect(0);
        one.withSupply(FakeEntropySource.ENDLESS);

        Progress second = collector.collect(1);

        assertEquals(Progress.WOULD_BLOCK, first);
        assertEquals(Progress.COMPLETE, second);
        assertArrayEquals(bytesOf(1), half(0));
    }

    @Test
    void omitsAllBytesOfSourceThatFailsMidway() {
        two.withSupply(10);
        collector.collect(0);
        two.broken(true);

        assertEquals(Progress.COMPLETE, collector.collect(1));
        assertArrayEquals(new byte[BYTES], half(1));
        assertEquals(List.of("two"), collector.missingInputs());
    }

    @Test
    void omitsSourceThatReturnsNothingUntilTimeout() {
        one.withSupply(0);

        assertEquals(Progress.WOULD_BLOCK, collector.collect(0));
        assertEquals(Progress.WOULD_BLOCK, collector.collect(EntropyInputCollector.INPUT_TIMEOUT_NANOS - 1));
        assertEquals(Progress.COMPLETE, collector.collect(EntropyInputCollector.INPUT_TIMEOUT_NANOS));
        assertEquals(List.of("one"), collector.missingInputs());
    }

    @Test
    void omitsSlowSourceOnceAnotherIsComplete() {
        one.withSupply(1);
        collector.collect(0);
        one.withSupply(1);

        assertEquals(Progress.COMPLETE, collector.collect(EntropyInputCollector.INPUT_TIMEOUT_NANOS));
        assertEquals(List.of("one"), collector.missingInputs());
    }

    @Test
    void waitsForSlowSourceIfItIsTheOnlyOne() {
        EntropyInputCollector slow = collector(new DrbgSeedSource("one", one, 8));
        Progress progress = Progress.WOULD_BLOCK;

        for (int i = 0; i < BYTES; i++) {
            assertEquals(Progress.WOULD_BLOCK, progress);
            one.withSupply(1);
            progress = slow.collect(i * (EntropyInputCollector.INPUT_TIMEOUT_NANOS - 1));
        }

        assertEquals(Progress.COMPLETE, progress);
    }

    @Test
    void failsIfNoSourceProvidesEnough() {
        one.broken(true);
        two.withSupply(BYTES - 1);
        collector.collect(0);

        assertEquals(Progress.FAILED, collector.collect(EntropyInputCollector.INPUT_TIMEOUT_NANOS));
        assertArrayEquals(new byte[2 * BYTES], collector.entropyInput());
    }

    @Test
    void seedFromAllWaitsForASilentSource() {
        one.withSupply(BYTES - 1);

        assertEquals(Progress.WOULD_BLOCK, fromAll.collect(0));
        assertEquals(Progress.WOULD_BLOCK, fromAll.collect(1000 * EntropyInputCollector.INPUT_TIMEOUT_NANOS));
        assertEquals(List.of("one"), fromAll.missingInputs());
    }

    @Test
    void seedFromAllFailsWhileASourceFails() {
        one.broken(true);

        assertEquals(Progress.FAILED, fromAll.collect(0));
        assertEquals(List.of("one"), fromAll.missingInputs());
    }

    @Test
    void seedFromAllKeepsWhatOtherSourcesContributed() {
        one.broken(true);
        fromAll.collect(0);
        one.broken(false);

        assertEquals(Progress.COMPLETE, fromAll.collect(1));
        assertEquals(BYTES, two.bytesRead());
        assertEquals(List.of(), fromAll.missingInputs());
    }

    @Test
    void wipesStagingBuffer() {
        collector.collect(0);

        assertEquals(-1, staging.mismatch(MemorySegment.ofArray(new byte[20])));
    }

    @Test
    void entropyInputIsZeroAfterWipe() {
        collector.collect(0);

        collector.wipe();

        assertArrayEquals(new byte[2 * BYTES], collector.entropyInput());
    }
}
