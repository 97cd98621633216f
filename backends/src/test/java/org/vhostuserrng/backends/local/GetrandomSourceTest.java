package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

@SuppressWarnings("MustBeClosedChecker")
class GetrandomSourceTest {
    private static final int BLOCK = GetrandomSource.BLOCK_BYTES;
    private static final int TARGET = 8 * BLOCK;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment target = arena.allocate(TARGET, Long.BYTES);
    private GetrandomSource source;

    private void open(GetrandomMethod method) {
        assumeTrue(
                method == GetrandomMethod.SYSCALL || VdsoGetrandom.isAvailable(),
                "the kernel is older than Linux 6.11");
        source = (GetrandomSource) new GetrandomSourceSpec(method).open(() -> {});
    }

    @AfterEach
    void close() {
        if (source != null) {
            source.close();
        }
        arena.close();
    }

    private void fillCompletely(int offset, int length) {
        for (int filled = 0; filled < length; ) {
            filled += source.fill(target, offset + filled, length - filled);
        }
    }

    private boolean blockIsZero(int from, int to) {
        return Arrays.equals(
                new byte[to - from], source.block().asSlice(from, to - from).toArray(ValueLayout.JAVA_BYTE));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void fillsExactlyTheRequestedBytes(GetrandomMethod method) {
        open(method);
        for (int length : new int[] {1, 63, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 7}) {
            target.fill((byte) 0);
            byte[] changed = new byte[length + 2];
            byte[] expected = new byte[length + 2];
            Arrays.fill(expected, 1, length + 1, (byte) 1);

            // A random byte is zero in one call of 256, but practically never in all sixteen.
            for (int call = 0; call < 16; call++) {
                fillCompletely(1, length);
                for (int i = 0; i < changed.length; i++) {
                    changed[i] |= (byte) (target.get(ValueLayout.JAVA_BYTE, i) == 0 ? 0 : 1);
                }
            }

            assertArrayEquals(expected, changed);
        }
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void returnsUniqueNumbersInSmallRequestsOfTurns(GetrandomMethod method) {
        open(method);
        Set<Long> seen = new HashSet<>();
        for (int turn = 0; turn < 8; turn++) {
            source.beginTurn(TARGET / 2);
            for (int at = 0; at < TARGET; at += 64) {
                fillCompletely(at, 64);
            }
            source.endTurn();
            Arrays.stream(target.toArray(ValueLayout.JAVA_LONG)).forEach(seen::add);
        }

        assertEquals(8 * TARGET / Long.BYTES, seen.size());
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void getsTheBytesOfSmallRequestsOfATurnFromOneCallAndWipesThemAsTheyAreHandedOut(GetrandomMethod method) {
        open(method);
        source.beginTurn(BLOCK);
        source.fill(target, 0, 64);
        byte[] ahead = source.block().asSlice(64, BLOCK - 64).toArray(ValueLayout.JAVA_BYTE);
        boolean firstIsWiped = blockIsZero(0, 64);

        for (int at = 64; at < BLOCK; at += 64) {
            source.fill(target, at, 64);
        }

        assertTrue(firstIsWiped);
        assertArrayEquals(ahead, target.asSlice(64, BLOCK - 64).toArray(ValueLayout.JAVA_BYTE));
        assertTrue(blockIsZero(0, BLOCK));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void wipesTheRestAtTheEndOfATurn(GetrandomMethod method) {
        open(method);
        source.beginTurn(BLOCK);
        source.fill(target, 0, 64);
        boolean heldBytes = !blockIsZero(64, BLOCK);

        source.endTurn();

        assertTrue(heldBytes);
        assertTrue(blockIsZero(0, BLOCK));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void givesTheNextGuestNoByteOfAnEarlierTurn(GetrandomMethod method) {
        open(method);
        source.beginTurn(BLOCK);
        source.fill(target, 0, 64);
        byte[] ahead = source.block().asSlice(64, 64).toArray(ValueLayout.JAVA_BYTE);
        source.endTurn();

        source.beginTurn(64);
        source.fill(target, 0, 64);

        assertFalse(Arrays.equals(ahead, target.asSlice(0, 64).toArray(ValueLayout.JAVA_BYTE)));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void getsNoByteAheadOutsideATurn(GetrandomMethod method) {
        open(method);

        source.fill(target, 0, 64);

        assertTrue(blockIsZero(0, BLOCK));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void wipesTheBytesOfAFailedCopy(GetrandomMethod method) {
        open(method);
        MemorySegment readOnly = target.asReadOnly();
        source.beginTurn(128);

        assertThrows(RuntimeException.class, () -> source.fill(readOnly, 0, 64));

        assertTrue(blockIsZero(0, 64));
    }

    @ParameterizedTest
    @EnumSource(GetrandomMethod.class)
    void survivesATruncatedTarget(GetrandomMethod method, @TempDir Path directory) throws IOException {
        open(method);
        source.beginTurn(128);
        try (FileChannel file = FileChannel.open(
                directory.resolve("memory"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            MemorySegment truncated = file.map(FileChannel.MapMode.READ_WRITE, 0, BLOCK, arena);
            file.truncate(0);

            assertThrows(InternalError.class, () -> source.fill(truncated, 0, 64));
        }
    }

    @Test
    void refusesToFillAfterClose() {
        open(GetrandomMethod.VDSO);
        source.close();

        assertThrows(IllegalStateException.class, () -> source.fill(target, 0, 64));
        source = null;
    }
}
