package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The time slice of a thread. Linux 6.12 and later let a thread that wakes up take the processor from one that asks for
 * longer slices; the others let it wait until the slice that runs is over, up to 3 ms.
 */
public final class SchedulerTimeSlice {
    private static final MemorySegment SYSCALL = Libc.symbol("syscall");
    // Numbers of sched_setattr(2) and sched_getattr(2), which libc has no functions for before glibc 2.41.
    private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
    private static final int SCHED_SETATTR = X86 ? 314 : 274;
    private static final int SCHED_GETATTR = X86 ? 315 : 275;
    private static final int THIS_THREAD = 0;
    private static final int SCHED_OTHER = 0;

    /** The kernel's shortest. */
    private static final long SHORTEST_NANOS = 100_000;

    // struct sched_attr { u32 size; u32 sched_policy; u64 sched_flags; s32 sched_nice; u32 sched_priority;
    //                     u64 sched_runtime; u64 sched_deadline; u64 sched_period; };
    private static final int SCHED_ATTR_BYTES = 48;
    private static final long POLICY = 4;
    private static final long RUNTIME = 24;

    private SchedulerTimeSlice() {}

    /**
     * Makes that of the calling thread as short as can be. Does nothing where the kernel has no say in it, or the thread
     * is scheduled by other rules.
     */
    public static void shorten() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(SCHED_ATTR_BYTES, Long.BYTES);
            int known = Libc.callInt(SYSCALL, SCHED_GETATTR, THIS_THREAD, attributes.address(), SCHED_ATTR_BYTES, 0);
            if (known == 0 && attributes.get(ValueLayout.JAVA_INT, POLICY) == SCHED_OTHER) {
                attributes.set(ValueLayout.JAVA_LONG, RUNTIME, SHORTEST_NANOS);
                int ignored = Libc.callInt(SYSCALL, SCHED_SETATTR, THIS_THREAD, attributes.address(), 0, 0);
                assert ignored <= 0;
            }
        }
    }
}
