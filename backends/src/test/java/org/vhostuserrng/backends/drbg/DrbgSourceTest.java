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
import org.vhostuserrng.backends.source.FakeVmForkClocks;

class DrbgSourceTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long RESEED_BYTES = 4L * DrbgOutputBuffer.BYTES;
    private static final DrbgReseedPolicy POLICY = new DrbgReseedPolicy(RESEED_BYTES, 300, false, false);
    private static final DrbgReseedPolicy FROM_ANY = new DrbgReseedPolicy(RESEED_BYTES, 300, false, true);
    private static final DrbgReseedPolicy PREDICTION_RESISTANCE = new DrbgReseedPolicy(RESEED_BYTES, 300, true, false);
    private static final int SEED_BYTES = EntropyInputCollector.INSTANTIATE_BITS / 8;
    private static final int RESEED_SEED_BYTES = EntropyInputCollector.RESEED_BITS / 8;

    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final SharedDrbgContext context = new SharedDrbgContext();
    private final FakeEntropySource good = new FakeEntropySource(1);
    private final FakeEntropySource other = new FakeEntropySource(2);
    private final DrbgSource both = drbg(POLICY, input(good), input(other));
    private long now;

    private DrbgSource drbg(DrbgReseedPolicy policy, DrbgSeedSource... inputs) {
        return named("guest", policy, inputs);
    }

    private DrbgSource named(String guest, DrbgReseedPolicy policy, DrbgSeedSource... inputs) {
        return new DrbgSource(guest, List.of(inputs), policy, context, () -> now, clocks.detector());
    }

    private static DrbgSeedSource input(FakeEntropySource source) {
        return new DrbgSeedSource("fake", source, 8);
    }

    private static int fill(EntropySource source) {
        return source.fill(MemorySegment.ofArray(new byte[64]), 0, 64);
    }

    private static void generate(EntropySource source, long bytes) {
        for (long done = 0; done < bytes; done += DrbgOutputBuffer.BYTES) {
            assertEquals(DrbgOutputBuffer.BYTES, FakeEntropySource.read(source, DrbgOutputBuffer.BYTES).length);
        }
    }

    // --- separation of instances -----------------------------------------------------------------------------------

    @Test
    void guestsWithEqualSeedsGetDifferentBytes() {
        DrbgSource one = named("one", POLICY, input(new FakeEntropySource(7)));
        DrbgSource two = named("two", POLICY, input(new FakeEntropySource(7)));

        assertFalse(Arrays.equals(FakeEntropySource.read(one, 64), FakeEntropySource.read(two, 64)));
    }

    @Test
    void restartWithEqualSeedGivesDifferentBytes() {
        byte[] before = FakeEntropySource.read(drbg(POLICY, input(new FakeEntropySource(7))), 64);
        byte[] after = FakeEntropySource.read(drbg(POLICY, input(new FakeEntropySource(7))), 64);

        assertFalse(Arrays.equals(before, after));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void neverReturnsTheSameBytesTwice(long seed) {
        Random random = new Random(seed);
        Set<Long> words = new HashSet<>();
        DrbgSource another = named("another", POLICY, input(new FakeEntropySource(1)), input(new FakeEntropySource(2)));
        long count = 0;

        for (int i = 0; i < 300; i++) {
            byte[] taken = FakeEntropySource.read(i % 3 == 0 ? another : both, 8 * (1 + random.nextInt(500)));
            for (int at = 0; at + 8 <= taken.length; at += 8) {
                words.add(MemorySegment.ofArray(taken).get(ValueLayout.JAVA_LONG_UNALIGNED, at));
                count++;
            }
        }

        // A collision among some ten thousand random 64-bit words is improbable (about 2^−36).
        assertEquals(count, words.size());
    }

    // --- close -----------------------------------------------------------------------------------------------------

    @Test
    void closesItsSeedSources() {
        fill(both);

        both.close();

        assertTrue(good.isClosed());
        assertTrue(other.isClosed());
    }

    // --- seeding ---------------------------------------------------------------------------------------------------

    @Test
    void readsNoEntropyBeforeTheFirstRequest() {
        assertEquals(0, good.bytesRead());
    }

    @Test
    void isSeededFromAllSources() {
        fill(both);

        assertEquals(SEED_BYTES, good.bytesRead());
        assertEquals(SEED_BYTES, other.bytesRead());
    }

    @Test
    void servesNothingBeforeTheSeedIsComplete() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES - 1)));
        int before = fill(drbg);

        good.withSupply(1);

        assertEquals(EntropySource.WOULD_BLOCK, before);
        assertEquals(64, fill(drbg));
    }

    @Test
    void failsWithTooLittleEntropyFromAnySource() {
        DrbgSource drbg = drbg(FROM_ANY, input(good.withSupply(SEED_BYTES - 1)));
        fill(drbg);

        now += EntropyInputCollector.INPUT_TIMEOUT_NANOS;

        assertEquals(EntropySource.FAILED, fill(drbg));
    }

    @Test
    void seedFromAnyOmitsFailedSource() {
        other.broken(true);

        assertEquals(64, fill(drbg(FROM_ANY, input(good), input(other))));
    }

    @Test
    void seedFromAnyOmitsStalledSourceAfterTimeout() {
        other.withSupply(10);
        DrbgSource any = drbg(FROM_ANY, input(good), input(other));
        int atFirst = fill(any);

        now += EntropyInputCollector.INPUT_TIMEOUT_NANOS;

        assertEquals(EntropySource.WOULD_BLOCK, atFirst);
        assertEquals(64, fill(any));
    }

    @Test
    void servesNothingWhileOneOfItsSourcesFails() {
        other.broken(true);

        int whileBroken = fill(both);
        other.broken(false);
        now += SECOND;

        assertEquals(EntropySource.FAILED, whileBroken);
        assertEquals(64, fill(both));
    }

    @Test
    void servesNothingWhileOneOfItsSourcesIsSilent() {
        other.withSupply(0);
        fill(both);

        now += 1000 * SECOND;
        int whileSilent = fill(both);
        other.withSupply(SEED_BYTES);

        assertEquals(EntropySource.WOULD_BLOCK, whileSilent);
        assertEquals(64, fill(both));
    }

    @Test
    void retriesFailedSourcesAfterASecond() {
        DrbgSource drbg = drbg(POLICY, input(good.broken(true)));
        int first = fill(drbg);
        good.broken(false);
        int beforeRetry = fill(drbg);

        now += SECOND;

        assertEquals(EntropySource.FAILED, first);
        assertEquals(EntropySource.FAILED, beforeRetry);
        assertEquals(64, fill(drbg));
    }

    @Test
    void limitsSeedsOfAGuestAcrossSessions() {
        for (int i = 0; i < DrbgInstantiationRateLimiter.BURST; i++) {
            try (DrbgSource session = drbg(POLICY, input(good))) {
                assertEquals(64, fill(session));
            }
        }
        DrbgSource oneMore = drbg(POLICY, input(good));

        int refused = fill(oneMore);
        int otherGuest = fill(named("victim", POLICY, input(other)));
        now += SECOND;

        assertEquals(EntropySource.WOULD_BLOCK, refused);
        assertEquals(64, otherGuest);
        assertEquals(64, fill(oneMore));
    }

    // --- forks of the virtual machine ------------------------------------------------------------------------------

    @Test
    void reseedsFromAllSourcesBeforeTheNextByteAfterAFork() {
        fill(both);
        clocks.jumpRealtime(1000);

        int filled = fill(both);

        assertEquals(64, filled);
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.bytesRead());
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, other.bytesRead());
    }

    @Test
    void reseedsOnceAfterAForkNoticedAtTheBeginningOfATurn() {
        fill(both);
        clocks.jumpRealtime(1000);

        for (int turn = 0; turn < 2; turn++) {
            both.beginTurn(128);
            fill(both);
            fill(both);
            both.endTurn();
        }

        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.bytesRead());
    }

    @Test
    void servesNothingAfterAForkUntilItIsReseeded() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES)));
        int before = fill(drbg);
        clocks.jumpRealtime(1000);
        int small = fill(drbg);
        int large = drbg.fill(MemorySegment.ofArray(new byte[4096]), 0, 4096);

        good.withSupply(RESEED_SEED_BYTES);

        assertEquals(64, before);
        assertEquals(EntropySource.WOULD_BLOCK, small);
        assertEquals(EntropySource.WOULD_BLOCK, large);
        assertEquals(64, fill(drbg));
    }

    @Test
    void discardsEntropyCollectedBeforeAFork() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES - 1)));
        int before = fill(drbg);
        clocks.jumpRealtime(1000);
        good.withSupply(SEED_BYTES - 1);
        int afterFork = fill(drbg);

        good.withSupply(1);

        assertEquals(EntropySource.WOULD_BLOCK, before);
        assertEquals(EntropySource.WOULD_BLOCK, afterFork);
        assertEquals(64, fill(drbg));
    }

    @Test
    void takesKernelOutputWithoutReseedingWhenTheKernelReseeds() {
        fill(both);
        clocks.passMillis(30_000);
        clocks.reseedKernel();

        int filled = fill(both);

        assertEquals(64, filled);
        assertEquals(SEED_BYTES, good.bytesRead());
    }

    // --- reseeding -------------------------------------------------------------------------------------------------

    @Test
    void reseedsAfterReseedBytes() {
        generate(both, RESEED_BYTES);
        long before = good.bytesRead();

        fill(both);

        assertEquals(SEED_BYTES, before);
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.bytesRead());
    }

    @Test
    void reseedsAfterReseedSeconds() {
        fill(both);

        now += POLICY.reseedSeconds() * SECOND;
        fill(both);

        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.bytesRead());
    }

    @Test
    void keepsServingWhileCollectingEntropyForReseed() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES)));

        generate(drbg, 2 * RESEED_BYTES);
        good.withSupply(RESEED_SEED_BYTES);

        assertEquals(64, fill(drbg));
        assertEquals(SEED_BYTES + RESEED_SEED_BYTES, good.bytesRead());
    }

    @Test
    void stopsServingAtTwiceReseedBytesWithoutEntropy() {
        DrbgSource drbg = drbg(POLICY, input(good.withSupply(SEED_BYTES)));

        generate(drbg, 2 * RESEED_BYTES);

        assertEquals(EntropySource.WOULD_BLOCK, fill(drbg));
    }

    @Test
    void stopsServingAtTwiceReseedSecondsWithoutEntropy() {
        DrbgSource drbg = drbg(POLICY, input(good));
        fill(drbg);
        good.broken(true);

        now += 2 * POLICY.reseedSeconds() * SECOND - 1;
        int justBefore = fill(drbg);
        now += SECOND;

        assertEquals(64, justBefore);
        assertEquals(EntropySource.FAILED, fill(drbg));
    }

    // --- prediction resistance -------------------------------------------------------------------------------------

    @Test
    void predictionResistanceReseedsForEachRequest() {
        DrbgSource drbg = drbg(PREDICTION_RESISTANCE, input(good));

        fill(drbg);
        fill(drbg);
        fill(drbg);

        assertEquals(SEED_BYTES + 2 * RESEED_SEED_BYTES, good.bytesRead());
    }

    @Test
    void predictionResistanceServesNothingWithoutEntropy() {
        DrbgSource drbg = drbg(PREDICTION_RESISTANCE, input(good.withSupply(SEED_BYTES)));
        fill(drbg);

        assertEquals(EntropySource.WOULD_BLOCK, fill(drbg));
    }

    // --- wiping and closing ----------------------------------------------------------------------------------------

    @Test
    void servesLongestRequestAtOnce() {
        assertEquals(1 << 16, FakeEntropySource.read(both, 1 << 16).length);
    }

    @Test
    void wipesSharedMemory() {
        FakeEntropySource.read(both, 1 << 16);

        assertEquals(-1, context.outputBuffer().mismatch(MemorySegment.ofArray(new byte[1 << 16])));
        assertEquals(-1, context.stagingBuffer().mismatch(MemorySegment.ofArray(new byte[4096])));
    }

    @Test
    void wipesSharedMemoryIfTheCopyFails() {
        MemorySegment tooSmall = MemorySegment.ofArray(new byte[10]);

        assertThrows(IndexOutOfBoundsException.class, () -> both.fill(tooSmall, 0, 4000));

        assertEquals(-1, context.outputBuffer().mismatch(MemorySegment.ofArray(new byte[1 << 16])));
    }

    @Test
    void closesItsSources() {
        both.close();

        assertTrue(good.isClosed() && other.isClosed());
    }
}
