package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/** Reads feature flags with CPUID (Intel "Software Developer's Manual", volume 2, CPUID). */
final class Cpuid {
    /** A feature flag: its leaf (with sub-leaf 0), register and bit. */
    enum Feature {
        RDRAND(1, ECX, 30),
        RDSEED(7, EBX, 18);

        private final int leaf;
        private final int register;
        private final int bit;

        Feature(int leaf, int register, int bit) {
            this.leaf = leaf;
            this.register = register;
            this.bit = bit;
        }
    }

    // Indices of the registers in the output of the code.
    private static final int EAX = 0;
    private static final int EBX = 1;
    private static final int ECX = 2;
    private static final int REGISTERS = 4;

    /**
     * {@code void cpuid(int edi, int esi, int *rdx)}: stores eax, ebx, ecx and edx of leaf edi, sub-leaf esi, at rdx.
     */
    private static final String CODE = """
            53           ; push  rbx
            49 89 d0     ; mov   r8, rdx
            89 f8        ; mov   eax, edi
            89 f1        ; mov   ecx, esi
            0f a2        ; cpuid
            41 89 00     ; mov   [r8], eax
            41 89 58 04  ; mov   [r8 + 4], ebx
            41 89 48 08  ; mov   [r8 + 8], ecx
            41 89 50 0c  ; mov   [r8 + 12], edx
            5b           ; pop   rbx
            c3           ; ret
            """;

    private Cpuid() {}

    /**
     * Returns whether this is an x86-64 processor with the feature.
     *
     * @throws IOException if the system does not permit executable memory
     */
    static boolean has(Feature feature) throws IOException {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cpuid = MachineCodeLoader.load(arena, CODE);
            MemorySegment registers = arena.allocate(ValueLayout.JAVA_INT, REGISTERS);
            // CPUID leaf 0 returns the highest supported leaf in eax.
            Libc.callForeign(cpuid, 0, 0, registers.address());
            if (feature.leaf > registers.getAtIndex(ValueLayout.JAVA_INT, EAX)) {
                return false;
            }
            Libc.callForeign(cpuid, feature.leaf, 0, registers.address());
            return (registers.getAtIndex(ValueLayout.JAVA_INT, feature.register) >>> feature.bit & 1) != 0;
        }
    }
}
