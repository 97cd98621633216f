package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/**
 * Sets the time slice of a thread. Since Linux 6.12, a thread that wakes up preempts a running thread with a longer
 * slice. Otherwise it waits up to 3 ms for the end of that slice.
 */
public final class ThreadTimeSlice {
    private static final MemorySegment SYSCALL = Libc.symbol("syscall");
    // The numbers of the system calls, because glibc has functions for them only since version 2.41.
    private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
    private static final int SCHED_SETATTR = X86 ? 314 : 274;
    private static final int SCHED_GETATTR = X86 ? 315 : 275;
    private static final int THIS_THREAD = 0;
    private static final int SCHED_OTHER = 0;

    /** The minimum slice that the kernel allows. */
    private static final long MIN_SLICE_NANOS = 100_000;

    // struct sched_attr { u32 size; u32 sched_policy; u64 sched_flags; s32 sched_nice; u32 sched_priority;
    //                     u64 sched_runtime; u64 sched_deadline; u64 sched_period; };
    private static final int SCHED_ATTR_BYTES = 48;
    private static final long POLICY = 4;
    private static final long RUNTIME = 24;

    private ThreadTimeSlice() {}

    /**
     * Sets the slice of the calling thread to the minimum. Does nothing if the kernel does not support it, or if the
     * thread does not use SCHED_OTHER.
     */
    public static void shorten() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(SCHED_ATTR_BYTES, Long.BYTES);
            int known = Libc.callInt(SYSCALL, SCHED_GETATTR, THIS_THREAD, attributes.address(), SCHED_ATTR_BYTES, 0);
            if (known == 0 && attributes.get(ValueLayout.JAVA_INT, POLICY) == SCHED_OTHER) {
                attributes.set(ValueLayout.JAVA_LONG, RUNTIME, MIN_SLICE_NANOS);
                int ignored = Libc.callInt(SYSCALL, SCHED_SETATTR, THIS_THREAD, attributes.address(), 0, 0);
                assert ignored <= 0;
            }
        }
    }
}
