package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Calls libc functions with one signature, {@code long f(long × 6)}, which fits all functions used here on the 64-bit
 * System V ABIs. One native stub instead of one per function halves the start-up cost of native access.
 *
 * <p>Returns results in the form of a raw system call: a non-negative value, or the negated errno. Any thread.
 */
@SuppressWarnings("restricted")
public final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;
    private static final MethodHandle CALL =
            LINKER.downcallHandle(FunctionDescriptor.of(L, L, L, L, L, L, L), Linker.Option.captureCallState("errno"));
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));

    /** Allocated in an automatic arena, because clean-up actions that run while another arena closes use it. */
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

    private static final MemorySegment STRERROR = symbol("strerror");
    private static final int MAX_TEXT_BYTES = 256;

    private Libc() {}

    /**
     * Returns the address of a libc function or variable.
     *
     * @throws UnsatisfiedLinkError if libc has no such function
     */
    public static MemorySegment symbol(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("libc has no function " + name));
    }

    /** Calls a function that returns {@code int}. Ignores the upper half of the result register, which is undefined. */
    public static int callInt(MemorySegment function, long a, long b, long c, long d, long e) {
        MemorySegment state = STATE.get();
        int result = (int) invoke(function, state, a, b, c, d, e, 0);
        return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    }

    /** Calls a function that returns {@code ssize_t} or a pointer. */
    public static long callLong(MemorySegment function, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = STATE.get();
        long result = invoke(function, state, a, b, c, d, e, f);
        return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    }

    /** Calls a function that returns {@code int} and does not set errno, such as one of another library. */
    public static int callForeign(MemorySegment function, long a, long b, long c) {
        return (int) callRaw(function, a, b, c, 0, 0);
    }

    /** Calls a function that does not set errno. Returns the whole result register. */
    public static long callRaw(MemorySegment function, long a, long b, long c, long d, long e) {
        return invoke(function, STATE.get(), a, b, c, d, e, 0);
    }

    /** Returns the description of an error number. */
    public static String describe(int errno) {
        return text(STRERROR, errno);
    }

    /** Calls a function that returns a C string of at most 255 bytes that describes a number. */
    static String text(MemorySegment function, int number) {
        long text = invoke(function, STATE.get(), number, 0, 0, 0, 0, 0);
        return MemorySegment.ofAddress(text).reinterpret(MAX_TEXT_BYTES).getString(0);
    }

    private static long invoke(
            MemorySegment function, MemorySegment state, long a, long b, long c, long d, long e, long f) {
        try {
            return (long) CALL.invokeExact(function, state, a, b, c, d, e, f);
        } catch (Error | RuntimeException bug) {
            throw bug;
        } catch (Throwable impossible) {
            throw new AssertionError("a native call declares no exception", impossible);
        }
    }
}
