package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Calls of libc with a single signature, {@code long f(long × 6)}. The transport module uses the same signature, so the
 * JVM generates one native stub for both. Results are like those of a raw system call: non-negative, or a negated
 * errno. Any thread.
 */
@SuppressWarnings("restricted")
final class LibcCalls {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;
    private static final MethodHandle CALL =
            LINKER.downcallHandle(FunctionDescriptor.of(L, L, L, L, L, L, L), Linker.Option.captureCallState("errno"));
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

    private LibcCalls() {}

    static MemorySegment symbol(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("libc has no function " + name));
    }

    /** Calls a function that returns {@code int}; the upper half of the result register is undefined. */
    static int callInt(MemorySegment function, long a, long b, long c, long d, long e) {
        MemorySegment state = STATE.get();
        int result = (int) invoke(function, state, a, b, c, d, e);
        return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    }

    /** Calls a function of another library that returns {@code int} and does not set errno. */
    static int callForeign(MemorySegment function, long a, long b, long c) {
        return (int) callRaw(function, a, b, c, 0, 0);
    }

    /** Calls a function that returns {@code long} and does not set errno. */
    static long callRaw(MemorySegment function, long a, long b, long c, long d, long e) {
        return invoke(function, STATE.get(), a, b, c, d, e);
    }

    /** Calls a function that returns {@code ssize_t}. */
    static long callLong(MemorySegment function, long a, long b, long c, long d, long e) {
        MemorySegment state = STATE.get();
        long result = invoke(function, state, a, b, c, d, e);
        return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    }

    private static long invoke(MemorySegment function, MemorySegment state, long a, long b, long c, long d, long e) {
        try {
            return (long) CALL.invokeExact(function, state, a, b, c, d, e, 0L);
        } catch (Error | RuntimeException bug) {
            throw bug;
        } catch (Throwable impossible) {
            throw new AssertionError("a native call declares no exception", impossible);
        }
    }
}
