package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.FakeEntropySource;
import org.vhostuserrng.backends.source.FakeVmForkClocks;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;

/** Tests when a DRBG is reseeded, and from which sources. */
class DrbgReseedTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int LARGEST = CtrDrbg.MAX_REQUEST_BYTES;
    private static final DrbgReseedPolicy POLICY = new DrbgReseedPolicy(2L * LARGEST, 300, false, false);
    private static final DrbgReseedPolicy FROM_ANY = new DrbgReseedPolicy(2L * LARGEST, 300, false, true);
    private static final int SEED_BYTES = EntropyInputCollector.INSTANTIATE_BITS / 8;
    private static final int RESEED_SEED_BYTES = EntropyInputCollector.RESEED_BITS / 8;

    private final SharedDrbgContext context = new SharedDrbgContext();
    private final FakeEntropySource seed = new FakeEntropySource(1);
    private long now;

    private DrbgSource drbg(DrbgReseedPolicy policy) {
        return new DrbgSource(
                "guest",
                List.of(new DrbgSeedSource("fake", seed, 8)),
                policy,
                context,
                () -> now,
                new FakeVmForkClocks().detector());
    }

    /** Generates bytes. Returns the number of reseeds so far. */
    private long reseedsAfter(EntropySource drbg, int bytes) {
        assertEquals(bytes, FakeEntropySource.read(drbg, bytes).length);
        return (seed.bytesRead() - SEED_BYTES) / RESEED_SEED_BYTES;
    }

    // --- accounting ------------------------------------------------------------------------------------------------

    @Test
    void largeRequestsCountTowardsTheReseedBytes() {
        DrbgSource drbg = drbg(POLICY);

        assertEquals(0, reseedsAfter(drbg, LARGEST));
        assertEquals(0, reseedsAfter(drbg, LARGEST));
        assertEquals(1, reseedsAfter(drbg, LARGEST));
    }

    @Test
    void bytesBeforeAReseedDoNotCountTowardsTheNext() {
        DrbgSource drbg = drbg(POLICY);
        for (int i = 0; i < 3; i++) {
            reseedsAfter(drbg, LARGEST);
        }

        assertEquals(1, reseedsAfter(drbg, LARGEST));
        assertEquals(2, reseedsAfter(drbg, LARGEST));
    }

    @Test
    void timeBeforeAReseedDoesNotCountTowardsTheNext() {
        now = 1000 * SECOND;
        DrbgSource drbg = drbg(POLICY);
        reseedsAfter(drbg, 64);
        now += 300 * SECOND;
        long first = reseedsAfter(drbg, 64);
        now += 300 * SECOND - 1;
        long justBefore = reseedsAfter(drbg, 64);
        now += 1;

        assertEquals(1, first);
        assertEquals(1, justBefore);
        assertEquals(2, reseedsAfter(drbg, 64));
    }

    @Test
    void longerRequestIsServedUpToTheLimitOfTheStandard() {
        assertEquals(LARGEST, FakeEntropySource.read(drbg(POLICY), LARGEST + 1).length);
    }

    @Test
    void requestUpToTheSizeOfTheBufferGetsTheRestOfTheBuffer() {
        DrbgSource drbg = drbg(POLICY);
        FakeEntropySource.read(drbg, 100);

        assertEquals(DrbgOutputBuffer.BYTES - 100, FakeEntropySource.read(drbg, DrbgOutputBuffer.BYTES).length);
    }

    @Test
    void failedReseedIsNotRepeatedForASecond() {
        DrbgSource drbg = drbg(POLICY);
        reseedsAfter(drbg, 64);
        now += 300 * SECOND;
        seed.broken(true);
        FakeEntropySource.read(drbg, 64);
        seed.broken(false);
        now += SECOND - 1;
        long justBefore = reseedsAfter(drbg, 64);
        now += 1;

        assertEquals(0, justBefore);
        assertEquals(1, reseedsAfter(drbg, 64));
    }

    // --- entropy ---------------------------------------------------------------------------------------------------

    /** Creates a DRBG whose output depends only on its seeds. */
    private DrbgSource withFixedNonce(EntropySource... seeds) {
        return withFixedNonce(POLICY, seeds);
    }

    private DrbgSource withFixedNonce(DrbgReseedPolicy policy, EntropySource... seeds) {
        SharedDrbgContext fixed = new SharedDrbgContext() {
            @Override
            byte[] nonce() {
                return new byte[32];
            }
        };
        List<DrbgSeedSource> inputs = Arrays.stream(seeds)
                .map(source -> new DrbgSeedSource("fake", source, 8))
                .toList();
        return new DrbgSource("guest", inputs, policy, fixed, () -> now, new FakeVmForkClocks().detector());
    }

    @Test
    void reseedChangesTheOutputByItsEntropy() {
        FakeEntropySource changed = new FakeEntropySource(7);
        DrbgSource one = withFixedNonce(new FakeEntropySource(7));
        DrbgSource two = withFixedNonce(changed);
        boolean equalBefore = Arrays.equals(FakeEntropySource.read(one, 64), FakeEntropySource.read(two, 64));
        FakeEntropySource.read(changed, 1);

        now += 300 * SECOND;
        boolean equalAfter = Arrays.equals(FakeEntropySource.read(one, 64), FakeEntropySource.read(two, 64));

        assertTrue(equalBefore);
        assertFalse(equalAfter);
    }

    @ParameterizedTest
    @CsvSource({"1, 2, 1, 3", "1, 2, 3, 2"})
    void everySeedSourceChangesTheOutput(long first, long second, long otherFirst, long otherSecond) {
        DrbgSource one = withFixedNonce(new FakeEntropySource(first), new FakeEntropySource(second));
        DrbgSource two = withFixedNonce(new FakeEntropySource(otherFirst), new FakeEntropySource(otherSecond));

        assertFalse(Arrays.equals(FakeEntropySource.read(one, 64), FakeEntropySource.read(two, 64)));
    }

    @Test
    void slowSourceIsAwaitedForTwoSecondsWhileAnotherIsComplete() {
        now = 1000 * SECOND;
        FakeEntropySource slow = new FakeEntropySource(2).withSupply(1);
        DrbgSource drbg = withFixedNonce(FROM_ANY, seed, slow);
        int first = drbg.fill(MemorySegment.ofArray(new byte[64]), 0, 64);
        now += 2 * SECOND - 1;
        slow.withSupply(1);
        int justBefore = drbg.fill(MemorySegment.ofArray(new byte[64]), 0, 64);
        now += 1;
        slow.withSupply(1);

        assertEquals(EntropySource.WOULD_BLOCK, first);
        assertEquals(EntropySource.WOULD_BLOCK, justBefore);
        assertEquals(64, FakeEntropySource.read(drbg, 64).length);
    }

    // --- policy ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "999, 0, false, false",
        "1000, 0, true, false",
        "1999, 0, true, false",
        "2000, 0, true, true",
        "0, 9999999999, false, false",
        "0, 10000000000, true, false",
        "0, 19999999999, true, false",
        "0, 20000000000, true, true"
    })
    void reseedIsDueAtTheLimitAndOverdueAtTwiceTheLimit(long bytes, long nanos, boolean due, boolean overdue) {
        DrbgReseedPolicy policy = new DrbgReseedPolicy(1000, 10, false, false);

        assertEquals(due, policy.isDue(bytes, nanos));
        assertEquals(overdue, policy.isOverdue(bytes, nanos));
    }

    @ParameterizedTest
    @CsvSource({
        "reseed-bytes, 1, true",
        "reseed-bytes, 0, false",
        "reseed-bytes, 1099511627776, true",
        "reseed-bytes, 1099511627777, false",
        "reseed-seconds, 1, true",
        "reseed-seconds, 0, false",
        "reseed-seconds, 86400, true",
        "reseed-seconds, 86401, false"
    })
    void optionsHaveARange(String option, String value, boolean accepted) {
        Map<String, String> options = new TreeMap<>(Map.of(option, value));

        if (accepted) {
            DrbgReseedPolicy.of(options);
            assertEquals(Map.of(), options);
        } else {
            assertThrows(IllegalArgumentException.class, () -> DrbgReseedPolicy.of(options));
        }
    }

    // --- specification ---------------------------------------------------------------------------------------------

    /** A seed source that counts its probes and its open handles. */
    private static final class CountingSpec implements SharedSourceSpec {
        private final double minEntropy;
        private int probes;
        private FakeEntropySource opened;

        private CountingSpec(double minEntropy) {
            this.minEntropy = minEntropy;
        }

        @Override
        public void probe() throws IOException {
            probes++;
            if (minEntropy < 1) {
                throw new IOException("broken");
            }
        }

        @Override
        public double minEntropy() {
            return minEntropy;
        }

        @Override
        public EntropySource open(Runnable onReadable) {
            opened = new FakeEntropySource(1);
            return opened;
        }

        @Override
        public String toString() {
            return "counting";
        }
    }

    @Test
    void probeTriesAllSeeds() throws IOException {
        CountingSpec first = new CountingSpec(8);
        CountingSpec second = new CountingSpec(8);

        new DrbgSourceSpec(List.of(first, second), POLICY).probe();

        assertEquals(1, first.probes);
        assertEquals(1, second.probes);
    }

    @Test
    void probeFailsIfOneSeedFails() {
        DrbgSourceSpec spec = new DrbgSourceSpec(List.of(new CountingSpec(8), new CountingSpec(0.5)), POLICY);

        assertThrows(IOException.class, spec::probe);
    }

    @Test
    void openedSourceIsSeededByTheEntropyOfItsSeeds() {
        CountingSpec spec = new CountingSpec(4);
        SourceRegistry registry = new SourceRegistry(spec, () -> {}, () -> now);
        EntropySource source = new DrbgSourceSpec(List.of(spec), POLICY).open(registry, "guest");

        int filled = FakeEntropySource.read(source, 64).length;
        long seedBytes = spec.opened.bytesRead();
        source.close();

        assertEquals(64, filled);
        assertEquals(2 * SEED_BYTES, seedBytes);
        assertTrue(spec.opened.isClosed());
        assertFalse(source.isSharedByGuests());
    }
}
