package org.vhostuserrng.backends.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VdsoGetrandomTest {
    private static final int NUMBERS = 4096;

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
    @ValueSource(ints = {1, 63, 4096, 20_487})
    void fillsExactlyTheRequestedBytes(int length) {
        byte[] changed = new byte[length + 2];
        byte[] expected = new byte[length + 2];
        Arrays.fill(expected, 1, length + 1, (byte) 1);

        // A random byte is zero in one call of 256, but practically never in all sixteen.
        for (int call = 0; call < 16; call++) {
            assertEquals(length, random.fillPrivate(target, 1, length));
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
                each.fillPrivate(target, 0, (int) target.byteSize());
                Arrays.stream(target.toArray(ValueLayout.JAVA_LONG)).forEach(seen::add);
            }
        }

        assertEquals(3 * NUMBERS, seen.size());
    }

    @Test
    void refusesToFillAfterClose() {
        VdsoGetrandom closed = VdsoGetrandom.open().orElseThrow();
        closed.close();

        assertThrows(IllegalStateException.class, () -> closed.fillPrivate(target, 0, 1));
    }
}
