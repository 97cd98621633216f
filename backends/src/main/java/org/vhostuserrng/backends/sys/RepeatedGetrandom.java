package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/**
 * Repeats calls of getrandom(2) for a measurement. On x86-64, the loop is machine code: at the start of a process, the
 * JVM's interpreter needs more time for one call than the call itself takes, and this time varies by more than the
 * difference to be measured. Confined to one thread.
 */
public final class RepeatedGetrandom implements AutoCloseable {
    private static final MemorySegment GETRANDOM = Libc.symbol("getrandom");

    /**
     * {@code void repeat(rdi, rsi, rdx, rcx, r8, r9)}: calls {@code rdi(rsi, rdx, GRND_NONBLOCK, rcx, r8)} r9 times.
     * The last two arguments are those of the vDSO function; libc's function ignores them.
     */
    private static final String CODE = """
            53              ;        push   rbx
            55              ;        push   rbp
            41 54           ;        push   r12
            41 55           ;        push   r13
            41 56           ;        push   r14
            41 57           ;        push   r15
            41 51           ;        push   r9 (aligns the stack to 16 bytes)
            48 89 fb        ;        mov    rbx, rdi
            48 89 f5        ;        mov    rbp, rsi
            49 89 d4        ;        mov    r12, rdx
            49 89 cd        ;        mov    r13, rcx
            4d 89 c6        ;        mov    r14, r8
            4d 89 cf        ;        mov    r15, r9
            48 89 ef        ; again: mov    rdi, rbp
            4c 89 e6        ;        mov    rsi, r12
            ba 01 00 00 00  ;        mov    edx, 1
            4c 89 e9        ;        mov    rcx, r13
            4d 89 f0        ;        mov    r8, r14
            ff d3           ;        call   rbx
            49 ff cf        ;        dec    r15
            75 e8           ;        jnz    again
            41 59           ;        pop    r9
            41 5f           ;        pop    r15
            41 5e           ;        pop    r14
            41 5d           ;        pop    r13
            41 5c           ;        pop    r12
            5d              ;        pop    rbp
            5b              ;        pop    rbx
            c3              ;        ret
            """;

    private final Arena arena = Arena.ofConfined();
    private final VdsoGetrandom vdso;
    private final MemorySegment buffer;
    /** The machine code; null if the processor or the system does not support it. */
    private final MemorySegment code;

    /**
     * Creates an instance with a buffer.
     *
     * @param vdso the vDSO function, which the caller closes
     * @param maxBytes maximum number of bytes of one call
     */
    public RepeatedGetrandom(VdsoGetrandom vdso, int maxBytes) {
        this.vdso = vdso;
        this.buffer = arena.allocate(maxBytes, Long.BYTES);
        this.code = loadCode(arena);
    }

    private static MemorySegment loadCode(Arena arena) {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return null;
        }
        try {
            return MachineCodeLoader.load(arena, CODE);
        } catch (IOException noExecutableMemory) {
            return null;
        }
    }

    /** Calls the vDSO function {@code calls} times for {@code length} bytes each. */
    public void callVdso(int length, int calls) {
        if (code != null) {
            Libc.callLong(code, vdso.function(), buffer.address(), length, vdso.state(), vdso.stateBytes(), calls);
            return;
        }
        for (int call = 0; call < calls; call++) {
            vdso.fillPrivate(buffer, 0, length);
        }
    }

    /** Makes the system call {@code calls} times for {@code length} bytes each. */
    public void callSyscall(int length, int calls) {
        if (code != null) {
            Libc.callLong(code, GETRANDOM.address(), buffer.address(), length, 0, 0, calls);
            return;
        }
        for (int call = 0; call < calls; call++) {
            GetrandomSyscall.fill(buffer, 0, length);
        }
    }

    @Override
    public void close() {
        buffer.fill((byte) 0);
        arena.close();
    }
}
