package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

class GetrandomSourceSpecTest {
    private static final int NUMBERS = 8192;

    static List<Supplier<EntropySource>> sources() {
        return List.of(() -> new GetrandomSourceSpec().open(() -> {}), GetrandomSourceSpec.SyscallGetrandomSource::new);
    }

    @Test
    void usesVdsoIfAvailable() {
        Optional<VdsoGetrandom> vdso = VdsoGetrandom.open();
        assumeTrue(vdso.isPresent(), "the kernel is older than Linux 6.11");
        vdso.get().close();

        try (EntropySource source = new GetrandomSourceSpec().open(() -> {})) {
            assertInstanceOf(GetrandomSourceSpec.VdsoGetrandomSource.class, source);
        }
    }

    @ParameterizedTest
    @MethodSource("sources")
    void returnsUniqueNumbers(Supplier<EntropySource> opened) {
        Set<Long> seen = new HashSet<>();
        try (EntropySource source = opened.get();
                Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(ValueLayout.JAVA_LONG, NUMBERS);
            int length = (int) target.byteSize();
            for (int filled = 0; filled < length; ) {
                filled += source.fill(target, filled, length - filled);
            }
            Arrays.stream(target.toArray(ValueLayout.JAVA_LONG)).forEach(seen::add);
        }

        assertEquals(NUMBERS, seen.size());
    }
}
