package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * RDRAND and RDSEED of x86-64, in their 64-bit forms only: of the others some processors return zeros as if they were
 * random (AMD-SB-7055). Retries follow Intel's "Digital Random Number Generator (DRNG) Software Implementation Guide",
 * §5.2 and §5.3. Any thread.
 */
public final class CpuRandom {
    /** The two instructions. */
    public enum Instruction {
        /** §5.2.1: ten times without success in a row is a defect. */
        RDRAND("rdrand", 10, 0xf2, 1, 2, 30),
        /** §5.3.1: may be exhausted for a moment; whoever waits does so politely, and not for ever. */
        RDSEED("rdseed", 100, 0xfa, 7, 1, 18);

        private final String flag;
        private final int tries;
        private final int operand;
        private final int leaf;
        private final int register;
        private final int bit;

        /**
         * An instruction.
         *
         * @param flag what /proc/cpuinfo calls it
         * @param operand its ModRM byte for rdx
         * @param leaf of CPUID, sub-leaf 0, whose {@code register} (eax, ebx, ecx, edx) has the {@code bit} for it
         */
        Instruction(String flag, int tries, int operand, int leaf, int register, int bit) {
            this.flag = flag;
            this.tries = tries;
            this.operand = operand;
            this.leaf = leaf;
            this.register = register;
            this.bit = bit;
        }

        @Override
        public String toString() {
            return flag;
        }
    }

    /** Where to look up whether RDRAND and RDSEED of all processors wait for each other (CVE-2020-0543). */
    private static final Path SRBDS = Path.of("/sys/devices/system/cpu/vulnerabilities/srbds");

    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    private final MemorySegment function;

    private CpuRandom(MemorySegment function) {
        this.function = function;
    }

    /**
     * Makes an instruction callable.
     *
     * @throws IOException with the reason, if this processor does not have it or the kernel does not trust it
     */
    public static CpuRandom load(Instruction instruction) throws IOException {
        if (!System.getProperty("os.arch").equals("amd64")) {
            throw new IOException("an instruction of x86-64, and this is " + System.getProperty("os.arch"));
        }
        if (!hasInstruction(instruction)) {
            throw new IOException("this processor has no " + instruction);
        }
        if (!kernelTrusts(instruction)) {
            throw new IOException(CPUINFO + " does not list it: the kernel knows that it is broken here");
        }
        return new CpuRandom(MachineCode.load(Arena.ofAuto(), code(instruction)));
    }

    /**
     * Fills memory with random words.
     *
     * @param words 64 bits each
     * @return how many there were: fewer if the processor had no more at the moment
     */
    public int fill(MemorySegment target, int words) {
        long address = RandomFile.address(target, 0, words * Long.BYTES);
        return (int) Libc.callLong(function, address, words, 0, 0, 0);
    }

    /** What using the instructions means for other tenants of the host, in a few words for a log; null if nothing. */
    public static String harm() {
        try {
            return harm(Files.readString(SRBDS).strip());
        } catch (IOException unknownToThisKernel) {
            return null;
        }
    }

    /** Linux, Documentation/admin-guide/hw-vuln/special-register-buffer-data-sampling.rst: what the file may say. */
    static String harm(String kernelSays) {
        if (kernelSays.startsWith("Not affected") || kernelSays.startsWith("Mitigation: TSX disabled")) {
            return null;
        }
        String harm = kernelSays.startsWith("Mitigation")
                ? "each use slows down the other processors of this host"
                : "other processors of this host may see what it gives";
        return harm + " (SRBDS: " + kernelSays + ")";
    }

    /** {@code long fill(long *rdi, long rsi)}: how many of rsi words could be filled. */
    private static byte[] code(Instruction instruction) {
        return bytes(
                0x31,
                0xc0, //                                     xor    eax, eax
                0x48,
                0x39,
                0xf0, //                         next: cmp    rax, rsi
                0x73,
                0x1b, //                                     jae    done
                0xb9,
                instruction.tries,
                0,
                0,
                0, //               mov    ecx, tries
                0x48,
                0x0f,
                0xc7,
                instruction.operand, //   again: rdrand rdx, or rdseed rdx
                0x72,
                0x07, //                                     jc     got
                0xf3,
                0x90, //                                     pause
                0xff,
                0xc9, //                                     dec    ecx
                0x75,
                0xf4, //                                     jnz    again
                0xc3, //                                           ret
                0x48,
                0x89,
                0x14,
                0xc7, //                    got: mov    [rdi + rax * 8], rdx
                0x48,
                0xff,
                0xc0, //                               inc    rax
                0xeb,
                0xe0, //                                     jmp    next
                0xc3); //                                    done: ret
    }

    private static boolean hasInstruction(Instruction instruction) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cpuid = MachineCode.load(arena, cpuidCode());
            MemorySegment registers = arena.allocate(ValueLayout.JAVA_INT, 4);
            // Leaf 0: eax is the highest leaf.
            Libc.callLong(cpuid, 0, 0, registers.address(), 0, 0);
            if (registers.getAtIndex(ValueLayout.JAVA_INT, 0) < instruction.leaf) {
                return false;
            }
            Libc.callLong(cpuid, instruction.leaf, 0, registers.address(), 0, 0);
            return (registers.getAtIndex(ValueLayout.JAVA_INT, instruction.register) >>> instruction.bit & 1) != 0;
        }
    }

    /** {@code long cpuid(int edi, int esi, int *rdx)}: stores eax, ebx, ecx and edx. */
    private static byte[] cpuidCode() {
        return bytes(
                0x53, //                    push  rbx
                0x49, 0x89, 0xd0, //        mov   r8, rdx
                0x89, 0xf8, //              mov   eax, edi
                0x89, 0xf1, //              mov   ecx, esi
                0x0f, 0xa2, //              cpuid
                0x41, 0x89, 0x00, //        mov   [r8], eax
                0x41, 0x89, 0x58, 0x04, //  mov   [r8 + 4], ebx
                0x41, 0x89, 0x48, 0x08, //  mov   [r8 + 8], ecx
                0x41, 0x89, 0x50, 0x0c, //  mov   [r8 + 12], edx
                0x5b, //                    pop   rbx
                0x31, 0xc0, //              xor   eax, eax
                0xc3); //                   ret
    }

    private static boolean kernelTrusts(Instruction instruction) throws IOException {
        return Files.readAllLines(CPUINFO).stream()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .map(line -> Arrays.asList(line.split("\\s+")).contains(instruction.flag))
                .orElse(false);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
