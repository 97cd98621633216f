package org.vhostuserrng.backends.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VdsoGetrandomTest {
    private static final int BLOCK = VdsoGetrandom.BLOCK_BYTES;
    private static final int NUMBERS = 8 * BLOCK / Long.BYTES;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment target = arena.allocate(ValueLayout.JAVA_LONG, NUMBERS);
    private VdsoGetrandom random;

    @BeforeEach
    void open() {
        Optional<VdsoGetrandom> opened = VdsoGetrandom.open();
        assumeTrue(opened.isPresent(), "the kernel is older than Linux 6.11");
        random = opened.get();
    }

    @AfterEach
    void close() {
        if (random != null) {
            random.close();
        }
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 63, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 7})
    void fillsExactlyTheRequestedBytes(int length) {
        byte[] changed = new byte[length + 2];
        byte[] expected = new byte[length + 2];
        Arrays.fill(expected, 1, length + 1, (byte) 1);

        // A random byte is zero in one call of 256, but practically never in all sixteen.
        for (int call = 0; call < 16; call++) {
            assertEquals(length, random.fill(target, 1, length));
            for (int i = 0; i < changed.length; i++) {
                changed[i] |= (byte) (target.get(ValueLayout.JAVA_BYTE, i) == 0 ? 0 : 1);
            }
        }

        assertArrayEquals(expected, changed);
    }

    @Test
    void returnsUniqueNumbers() {
        Set<Long> seen = new HashSet<>();
        try (VdsoGetrandom other = VdsoGetrandom.open().orElseThrow()) {
            for (VdsoGetrandom each : new VdsoGetrandom[] {random, other, random}) {
                each.fill(target, 0, (int) target.byteSize());
                Arrays.stream(target.toArray(ValueLayout.JAVA_LONG)).forEach(seen::add);
            }
        }

        assertEquals(3 * NUMBERS, seen.size());
    }

    @Test
    void wipesBlockAfterCopy() {
        random.fill(target, 0, BLOCK + 1);

        assertArrayEquals(new byte[BLOCK], random.block().toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void wipesBlockAfterFailedCopy() {
        MemorySegment readOnly = target.asReadOnly();

        assertThrows(RuntimeException.class, () -> random.fill(readOnly, 0, BLOCK));

        assertArrayEquals(new byte[BLOCK], random.block().toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void survivesTruncatedTarget(@TempDir Path directory) throws IOException {
        try (FileChannel file = FileChannel.open(
                directory.resolve("memory"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            MemorySegment truncated = file.map(FileChannel.MapMode.READ_WRITE, 0, BLOCK, arena);
            file.truncate(0);

            assertThrows(InternalError.class, () -> random.fill(truncated, 0, BLOCK));
        }
    }

    @Test
    void refusesToFillAfterClose() {
        VdsoGetrandom closed = VdsoGetrandom.open().orElseThrow();
        closed.close();

        assertThrows(IllegalStateException.class, () -> closed.fill(target, 0, 1));
    }
}
