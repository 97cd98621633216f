package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.vhostuserrng.libc.Libc;

/**
 * The instructions RDRAND and RDSEED of x86-64. Only the 64-bit forms are used, because some processors return zeros
 * for the shorter forms (AMD-SB-7055). Retries follow Intel's "Digital Random Number Generator (DRNG) Software
 * Implementation Guide", §5.2 and §5.3. Any thread.
 */
public final class RdrandRdseed {
    /** The two instructions. */
    public enum Instruction {
        /** §5.2.1: ten consecutive failures mean that the hardware is defective. */
        RDRAND("rdrand", 10, 0xf2, Cpuid.Feature.RDRAND),
        /** §5.3.1: the generator may be exhausted; retries with PAUSE, a limited number of times. */
        RDSEED("rdseed", 100, 0xfa, Cpuid.Feature.RDSEED);

        private final String flag;
        private final int tries;
        private final int operand;
        private final Cpuid.Feature feature;

        /**
         * Creates the constant of an instruction.
         *
         * @param flag the instruction's flag in /proc/cpuinfo
         * @param tries maximum number of executions for one word
         * @param operand the instruction's ModRM byte for register rdx
         */
        Instruction(String flag, int tries, int operand, Cpuid.Feature feature) {
            this.flag = flag;
            this.tries = tries;
            this.operand = operand;
            this.feature = feature;
        }

        @Override
        public String toString() {
            return flag;
        }
    }

    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    private final MemorySegment function;

    private RdrandRdseed(MemorySegment function) {
        this.function = function;
    }

    /**
     * Loads an instruction as a callable function.
     *
     * @throws IOException if the processor lacks the instruction, or if the kernel does not trust it; the message has
     *     the reason
     */
    public static RdrandRdseed load(Instruction instruction) throws IOException {
        if (!System.getProperty("os.arch").equals("amd64")) {
            throw new IOException("an instruction of x86-64; this host is " + System.getProperty("os.arch"));
        }
        if (!Cpuid.has(instruction.feature)) {
            throw new IOException("this processor has no " + instruction);
        }
        if (!kernelTrusts(instruction)) {
            throw new IOException(CPUINFO + " does not list it: the kernel considers it broken on this processor");
        }
        return new RdrandRdseed(MachineCodeLoader.load(Arena.ofAuto(), listing(instruction)));
    }

    /**
     * Fills memory with random words.
     *
     * @param words number of 64-bit words
     * @return the number of words written; fewer than {@code words} if the generator is exhausted
     */
    public int fill(MemorySegment target, int words) {
        long address = EntropyFile.address(target, 0, words * Long.BYTES);
        return (int) Libc.callLong(function, address, words, 0, 0, 0, 0);
    }

    /** {@code long fill(long *rdi, long rsi)}: stores up to rsi words at rdi and returns their number. */
    private static String listing(Instruction instruction) {
        return """
                31 c0           ;        xor    eax, eax
                48 39 f0        ; next:  cmp    rax, rsi
                73 1b           ;        jae    done
                b9 %02x 00 00 00  ;        mov    ecx, tries
                48 0f c7 %02x     ; again: rdrand rdx, or rdseed rdx
                72 07           ;        jc     got
                f3 90           ;        pause
                ff c9           ;        dec    ecx
                75 f4           ;        jnz    again
                c3              ;        ret
                48 89 14 c7     ; got:   mov    [rdi + rax * 8], rdx
                48 ff c0        ;        inc    rax
                eb e0           ;        jmp    next
                c3              ; done:  ret
                """.formatted(instruction.tries, instruction.operand);
    }

    private static boolean kernelTrusts(Instruction instruction) throws IOException {
        return Files.readAllLines(CPUINFO).stream()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .map(line -> Arrays.asList(line.split("\\s+")).contains(instruction.flag))
                .orElse(false);
    }
}
