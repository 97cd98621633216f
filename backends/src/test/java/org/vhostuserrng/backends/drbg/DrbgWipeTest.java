package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.source.FakeEntropySource;
import org.vhostuserrng.backends.source.FakeVmForkClocks;

/** Tests that secrets do not remain in memory (SP 800-90Ar1 §9.4 and §11.4). */
class DrbgWipeTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final DrbgReseedPolicy POLICY = new DrbgReseedPolicy(1 << 16, 300, false, false);

    private final RecordingArena arena = new RecordingArena();
    private final byte[] scratch = new byte[Aes256.SCRATCH_BYTES];
    private final BlockCipherDf df = new BlockCipherDf(scratch, arena);
    private final List<RecordingArena> drbgMemory = new ArrayList<>();
    private final SharedDrbgContext context = new SharedDrbgContext() {
        @Override
        Arena newDrbgMemory() {
            drbgMemory.add(new RecordingArena());
            return drbgMemory.getLast();
        }
    };
    private long now;

    private DrbgSource source() {
        DrbgSeedSource seed = new DrbgSeedSource("fake", new FakeEntropySource(1), 8);
        return new DrbgSource("guest", List.of(seed), POLICY, context, () -> now, new FakeVmForkClocks().detector());
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static String hex(MemorySegment segment) {
        return HexFormat.of().formatHex(segment.toArray(ValueLayout.JAVA_BYTE));
    }

    // --- derivation function ---------------------------------------------------------------------------------------

    @Test
    void derivationFunctionKeepsItsConstantKeyOnly() {
        MemorySegment derived = df.derive(random(1, 100));
        boolean derivedIsZero = RecordingArena.isZero(derived);

        derived.fill((byte) 0);

        assertFalse(derivedIsZero);
        assertEquals(
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                hex(arena.ofSize(32).getFirst()));
        assertTrue(arena.ofSize(BlockCipherDf.OUTPUT_BYTES).stream().allMatch(RecordingArena::isZero));
    }

    @Test
    void derivationFunctionDoesNotModifyItsInputs() {
        byte[] input = random(1, 100);

        df.derive(input);

        assertEquals(HexFormat.of().formatHex(random(1, 100)), HexFormat.of().formatHex(input));
    }

    // --- DRBG ------------------------------------------------------------------------------------------------------

    @Test
    void drbgLeavesNeitherSeedMaterialNorStateInItsMemory() {
        RecordingArena memory = new RecordingArena();
        CtrDrbg drbg = new CtrDrbg(df, scratch, memory);
        MemorySegment seedMaterial = df.derive(new byte[1]);
        MemorySegment output = MemorySegment.ofArray(new byte[100]);

        drbg.instantiate(random(1, 48), random(2, 32), CtrDrbg.NO_INPUT);
        boolean zeroAfterInstantiate = RecordingArena.isZero(seedMaterial) && memory.isZero();
        drbg.reseed(random(3, 32), CtrDrbg.NO_INPUT);
        boolean zeroAfterReseed = RecordingArena.isZero(seedMaterial) && memory.isZero();
        drbg.generate(output, 0, 100);
        boolean zeroAfterGenerate = memory.isZero();
        drbg.generate(output, 0, 100, random(4, 10));

        assertTrue(zeroAfterInstantiate);
        assertTrue(zeroAfterReseed);
        assertTrue(zeroAfterGenerate);
        assertTrue(RecordingArena.isZero(seedMaterial) && memory.isZero());
        assertEquals(-1, Arrays.mismatch(new byte[Aes256.SCRATCH_BYTES], scratch));
    }

    @Test
    void drbgGeneratesNothingAfterUninstantiate() {
        CtrDrbg drbg = new CtrDrbg(df, scratch, arena);
        drbg.instantiate(random(1, 48), random(2, 32), CtrDrbg.NO_INPUT);
        MemorySegment output = MemorySegment.ofArray(new byte[16]);

        drbg.uninstantiate();

        assertThrows(IllegalStateException.class, () -> drbg.generate(output, 0, 16));
        assertThrows(IllegalStateException.class, () -> drbg.reseed(random(1, 48), CtrDrbg.NO_INPUT));
    }

    @Test
    void wipedCipherHasTheKeyZero() {
        Aes256 wiped = new Aes256(scratch);
        Aes256 zero = new Aes256(scratch);
        wiped.setKey(MemorySegment.ofArray(random(1, 32)), 0);
        wiped.setCounter(MemorySegment.ofArray(random(2, 16)), 0);
        zero.setCounter(MemorySegment.ofArray(new byte[16]), 0);
        MemorySegment fromWiped = MemorySegment.ofArray(new byte[16]);
        MemorySegment fromZero = MemorySegment.ofArray(new byte[16]);

        wiped.wipe();

        wiped.encryptCounters(fromWiped, 0, 1);
        zero.encryptCounters(fromZero, 0, 1);
        assertEquals(hex(fromZero), hex(fromWiped));
    }

    // --- source ----------------------------------------------------------------------------------------------------

    @Test
    void closedSourceLeavesItsMemoryZero() {
        DrbgSource source = source();
        FakeEntropySource.read(source, 64);
        boolean zeroBefore = drbgMemory.getFirst().isZero();

        source.close();

        assertFalse(zeroBefore);
        assertTrue(drbgMemory.getFirst().isZero());
        assertTrue(drbgMemory.getFirst().isClosed());
    }

    @Test
    void sourceCanBeClosedTwice() {
        DrbgSource source = source();
        FakeEntropySource.read(source, 64);
        source.close();

        source.close();

        assertEquals(1, drbgMemory.size());
    }

    @Test
    void unusedSourceNeedsNoMemory() {
        source().close();

        assertEquals(List.of(), drbgMemory);
    }

    @Test
    void bufferedBytesAreDiscardedByAReseed() {
        DrbgSource source = source();
        FakeEntropySource.read(source, 64);
        MemorySegment buffer =
                drbgMemory.getFirst().ofSize(DrbgOutputBuffer.BYTES).getFirst();
        String buffered = hex(buffer.asSlice(64, 64));

        now += 300 * SECOND;
        byte[] afterReseed = FakeEntropySource.read(source, 64);

        assertNotEquals(buffered, HexFormat.of().formatHex(afterReseed));
        assertEquals(64, afterReseed.length);
    }
}
