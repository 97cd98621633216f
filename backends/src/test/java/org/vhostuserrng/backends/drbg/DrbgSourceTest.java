package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.FakeEntropySource;

class DrbgSourceTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long RESEED_BYTES = 4L * DrbgOutputBuffer.BYTES;
    private static final DrbgReseedPolicy POLICY = new DrbgReseedPolicy(RESEED_BYTES, 300, false);
    private static final DrbgReseedPolicy PREDICTION_RESISTANCE = new DrbgReseedPolicy(RESEED_BYTES, 300, true);
    private static final int SEED_BYTES = EntropyInputCollector.BITS_TO_INSTANTIATE / 8;
    private static final int RESEED_SEED_BYTES = EntropyInputCollector.BITS_TO_RESEED / 8;

    private final SharedDrbgContext workspace = new SharedDrbgContext(AesProvider.best());
    private final FakeEntropySource good = new FakeEntropySource(1);
    private final FakeEntropySource other = new FakeEntropySource(2);
    private final DrbgSource both = drbg(POLICY, input(good), input(other));
    private long now;

    private DrbgSource drbg(DrbgReseedPolicy policy, DrbgSeedSource... inputs) {
        return named("guest", policy, inputs);
    }

    private DrbgSource named(String guest, DrbgReseedPolicy policy, DrbgSeedSource... inputs) {
        return new DrbgSource(guest, List.of(inputs), policy, workspace, () -> now);
    }

    private static DrbgSeedSource input(FakeEntropySource source) {
        return new DrbgSeedSource("fake", source, 8);
    }

    private static int fill(EntropySource source) {
        return source.fill(MemorySegment.ofArray(new byte[64]), 0, 64);
    }

    private static void generate(EntropySource source, long bytes) {
        for (long done = 0; done < bytes; done += DrbgOutputBuffer.BYTES) {
            assertEquals(DrbgOutputBuffer.BYTES, FakeEntropySource.take(source, DrbgOutputBuffer.BYTES).length);
        }
    }

    // --- apart from each other -------------------------------------------------------------------------------------

    @Test
    void givesTwoGuestsDifferentBytesThoughTheirSeedsWereTheSame() {
        DrbgSource one = named("one", POLICY, input(new FakeEntropySource(7)));
        DrbgSource two = named("two", POLICY, input(new FakeEntropySource(7)));

        assertFalse(Arrays.equals(FakeEntropySource.take(one, 64), FakeEntropySource.take(two, 64)));
    }

    @Test
    void givesOtherBytesAfterARestartThoughTheSeedWasTheSame() {
        byte[] before = FakeEntropySource.take(drbg(POLICY, input(new FakeEntropySource(7))), 64);
        byte[] after = FakeEntropySource.take(drbg(POLICY, input(new FakeEntropySource(7))), 64);

        assertFalse(Arrays.equals(before, after));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void givesOutNothingTwiceWhateverIsAskedFor(long seed) {
        Random random = new Random(seed);
        Set<Long> words = new HashSet<>();
        DrbgSource another = named("another", POLICY, input(new FakeEntropySource(1)), input(new FakeEntropySource(2)));
        long count = 0;

        for (int i = 0; i < 300; i++) {
            byte[] taken = FakeEntropySource.take(i % 3 == 0 ? another : both, 8 * (1 + random.nextInt(500)));
            for (int at = 0; at + 8 <= taken.length; at += 8) {
                words.add(MemorySegment.ofArray(taken).get(ValueLayout.JAVA_LONG_UNALIGNED, at));
                count++;
            }
        }

        // Among a few ten thousand words of 64 random bits no two are equal.
        assertEquals(count, words.size());
    }

    // --- seeding ---------------------------------------------------------------------------------------------------

    @Test
    void takesNoEntropyBeforeSomethingIsAskedFor() {
        assertEquals(0, good.given());
    }

    @Test
    void isSeededFromAllItsInputs() {
        fill(both);

        assertEquals(SEED_BYTES, good.given());
        assertEquals(SEED_BYTES, other.given());
    }

    @Test
    void servesNothingBeforeTheSeedIsWhole() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES - 1)));
        int before = fill(drbg);

        good.withSupply(1);

        assertEquals(EntropySource.NOT_NOW, before);
        assertEquals(64, fill(drbg));
    }

    @Test
    void servesNothingFromTooLittleEntropy() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES - 1)));
        fill(drbg);

        now += EntropyInputCollector.PATIENCE_NANOS;

        assertEquals(EntropySource.FAILED, fill(drbg));
    }

    @Test
    void servesWithoutAnInputThatFails() {
        other.breaking(true);

        assertEquals(64, fill(both));
    }

    @Test
    void servesWithoutAnInputThatStallsAfterAWait() {
        other.withSupply(10);
        int atFirst = fill(both);

        now += EntropyInputCollector.PATIENCE_NANOS;

        assertEquals(EntropySource.NOT_NOW, atFirst);
        assertEquals(64, fill(both));
    }

    @Test
    void asksFailedInputsAgainInASecond() {
        DrbgSource drbg = drbg(POLICY, input(good.breaking(true)));
        int first = fill(drbg);
        good.breaking(false);
        int tooEarly = fill(drbg);

        now += SECOND;

        assertEquals(EntropySource.FAILED, first);
        assertEquals(EntropySource.FAILED, tooEarly);
        assertEquals(64, fill(drbg));
    }

    @Test
    void countsTheSeedsOfAGuestOverAllItsSessions() {
        for (int i = 0; i < DrbgSeedRateLimiter.BURST; i++) {
            try (DrbgSource session = drbg(POLICY, input(good))) {
                assertEquals(64, fill(session));
            }
        }
        DrbgSource oneMore = drbg(POLICY, input(good));

        int refused = fill(oneMore);
        int otherGuest = fill(named("victim", POLICY, input(other)));
        now += SECOND;

        assertEquals(EntropySource.NOT_NOW, refused);
        assertEquals(64, otherGuest);
        assertEquals(64, fill(oneMore));
    }

    // --- reseeding -------------------------------------------------------------------------------------------------

    @Test
    void isReseededAfterSoManyBytes() {
        generate(both, RESEED_BYTES);
        long before = good.given();

        fill(both);

        assertEquals(SEED_BYTES, before);
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.given());
    }

    @Test
    void isReseededAfterSoMuchTime() {
        fill(both);

        now += POLICY.reseedSeconds() * SECOND;
        fill(both);

        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.given());
    }

    @Test
    void goesOnServingWhileEntropyForAReseedIsCollected() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES)));

        generate(drbg, 2 * RESEED_BYTES);
        good.withSupply(RESEED_SEED_BYTES);

        assertEquals(64, fill(drbg));
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.given());
    }

    @Test
    void stopsServingAtTwiceTheBytesWithoutNewEntropy() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES)));

        generate(drbg, 2 * RESEED_BYTES);

        assertEquals(EntropySource.NOT_NOW, fill(drbg));
    }

    @Test
    void stopsServingAtTwiceTheTimeWithoutNewEntropy() {
        DrbgSource drbg = drbg(POLICY, input(good));
        fill(drbg);
        good.breaking(true);

        now += 2 * POLICY.reseedSeconds() * SECOND - 1;
        int justBefore = fill(drbg);
        now += SECOND;

        assertEquals(64, justBefore);
        assertEquals(EntropySource.FAILED, fill(drbg));
    }

    // --- prediction resistance -------------------------------------------------------------------------------------

    @Test
    void isReseededForEachRequestWithPredictionResistance() {
        DrbgSource drbg = drbg(PREDICTION_RESISTANCE, input(good));

        fill(drbg);
        fill(drbg);
        fill(drbg);

        assertEquals(SEED_BYTES + 2 * RESEED_SEED_BYTES, good.given());
    }

    @Test
    void servesNothingWithoutNewEntropyWithPredictionResistance() {
        DrbgSource drbg = drbg(PREDICTION_RESISTANCE, input(good.withSupply(SEED_BYTES)));
        fill(drbg);

        assertEquals(EntropySource.NOT_NOW, fill(drbg));
    }

    // --- what is left behind ---------------------------------------------------------------------------------------

    @Test
    void servesTheLongestRequestInOnePiece() {
        assertEquals(1 << 16, FakeEntropySource.take(both, 1 << 16).length);
    }

    @Test
    void leavesNothingInMemoryThatIsShared() {
        FakeEntropySource.take(both, 1 << 16);

        assertEquals(-1, workspace.output().mismatch(MemorySegment.ofArray(new byte[1 << 16])));
        assertEquals(-1, workspace.staging().mismatch(MemorySegment.ofArray(new byte[4096])));
    }

    @Test
    void leavesNothingInMemoryThatIsSharedIfTheTargetIsTooSmall() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[10]);

        assertThrows(IndexOutOfBoundsException.class, () -> both.fill(tooSmall, 0, 4000));

        assertEquals(-1, workspace.output().mismatch(MemorySegment.ofArray(new byte[1 << 16])));
    }

    @Test
    void closesItsInputs() {
        both.close();

        assertTrue(good.isClosed() && other.isClosed());
    }
}
