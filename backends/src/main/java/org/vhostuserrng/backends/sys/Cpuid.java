package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What this processor can do (Intel's "Software Developer's Manual", volume 2, CPUID). */
final class Cpuid {
    /** What there is a bit for in a register of CPUID: its leaf, sub-leaf 0, the register, the bit. */
    enum Feature {
        SSSE3(1, ECX, 9),
        AES(1, ECX, 25),
        OSXSAVE(1, ECX, 27),
        RDRAND(1, ECX, 30),
        AVX2(7, EBX, 5),
        RDSEED(7, EBX, 18),
        VAES(7, ECX, 9);

        private final int leaf;
        private final int register;
        private final int bit;

        Feature(int leaf, int register, int bit) {
            this.leaf = leaf;
            this.register = register;
            this.bit = bit;
        }
    }

    // Where the code stores them.
    private static final int EAX = 0;
    private static final int EBX = 1;
    private static final int ECX = 2;
    private static final int REGISTERS = 4;

    /** {@code void cpuid(int edi, int esi, int *rdx)}: stores eax, ebx, ecx and edx of leaf edi, sub-leaf esi. */
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

    /**
     * {@code int xgetbv()}: eax of the extended control register 0, in which the kernel states what it saves for each
     * thread.
     */
    private static final String XGETBV = """
            31 c9        ; xor   ecx, ecx
            0f 01 d0     ; xgetbv
            c3           ; ret
            """;
    /** XMM and YMM. */
    private static final int VECTORS = 0b110;

    private Cpuid() {}

    /**
     * Whether this is an x86-64 that has all of them.
     *
     * @throws IOException if the system does not let a process make memory executable
     */
    static boolean has(Feature... features) throws IOException {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cpuid = MachineCodeLoader.load(arena, CODE);
            MemorySegment registers = arena.allocate(ValueLayout.JAVA_INT, REGISTERS);
            // Leaf 0: eax is the highest leaf.
            LibcCalls.callForeign(cpuid, 0, 0, registers.address());
            int highest = registers.getAtIndex(ValueLayout.JAVA_INT, EAX);
            for (Feature feature : features) {
                if (feature.leaf > highest) {
                    return false;
                }
                LibcCalls.callForeign(cpuid, feature.leaf, 0, registers.address());
                if ((registers.getAtIndex(ValueLayout.JAVA_INT, feature.register) >>> feature.bit & 1) == 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * Whether the kernel lets registers of 256 bits be used, if the processor has them.
     *
     * @throws IOException as {@link #has} does
     */
    static boolean keepsWideRegisters() throws IOException {
        if (!has(Feature.OSXSAVE)) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            return (LibcCalls.callForeign(MachineCodeLoader.load(arena, XGETBV), 0, 0, 0) & VECTORS) == VECTORS;
        }
    }
}
