package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/**
 * Keeps system calls of the thread that opened it from waiting: while armed, a signal comes every {@link #TICK_MILLIS}
 * and ends with EINTR what waits then. Costs the calls themselves nothing.
 *
 * <p>It is there for eventfds of front-ends. O_NONBLOCK is a flag of the open file, which the front-end shares and can
 * clear at any moment; once the counter is full a write waits then, for ever. Linux has no write to an eventfd that
 * never waits (RWF_NOWAIT is not supported for it), and looking before writing is a race that a front-end can win.
 */
public final class BlockedSyscallWatchdog implements AutoCloseable {
    /** How long a call can wait at most. Shorter ones cost more: 500 signals are 1 ms of each second that is worked in. */
    public static final int TICK_MILLIS = 2;

    private static final MemorySegment SIGACTION = Libc.symbol("sigaction");
    private static final MemorySegment GETTID = Libc.symbol("gettid");
    private static final MemorySegment TIMER_CREATE = Libc.symbol("timer_create");
    private static final MemorySegment TIMER_SETTIME = Libc.symbol("timer_settime");
    private static final MemorySegment TIMER_DELETE = Libc.symbol("timer_delete");
    /** What the signal calls: any function that is safe there and does nothing will do. */
    private static final MemorySegment HANDLER = Libc.symbol("getpid");

    /** A real-time signal that neither libc nor the JVM has a use for. */
    private static final int SIGNAL = 40;

    private static final int CLOCK_MONOTONIC = 1;
    private static final int SIGEV_THREAD_ID = 4;

    // struct sigaction { void (*sa_handler)(int); sigset_t sa_mask; int sa_flags; void (*sa_restorer)(void); }, of
    // libc's, not of the kernel's. Without SA_RESTART in its flags.
    private static final long SIGACTION_BYTES = 152;
    // struct sigevent { union sigval sigev_value; int sigev_signo; int sigev_notify; pid_t sigev_notify_thread_id; }
    private static final long SIGEV_SIGNO = 8;
    private static final long SIGEV_NOTIFY = 12;
    private static final long SIGEV_THREAD = 16;
    private static final long SIGEVENT_BYTES = 64;
    // struct itimerspec { struct timespec it_interval, it_value; }
    private static final long INTERVAL_NANOS = 8;
    private static final long VALUE_NANOS = 24;
    private static final long ITIMERSPEC_BYTES = 32;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment ticking = arena.allocate(ITIMERSPEC_BYTES, Long.BYTES);
    private final MemorySegment still = arena.allocate(ITIMERSPEC_BYTES, Long.BYTES);
    private final long timer;
    private boolean armed;

    private BlockedSyscallWatchdog(long timer) {
        this.timer = timer;
        long nanos = TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
        ticking.set(ValueLayout.JAVA_LONG, INTERVAL_NANOS, nanos);
        ticking.set(ValueLayout.JAVA_LONG, VALUE_NANOS, nanos);
    }

    /** One for the calling thread, which is not armed. */
    public static BlockedSyscallWatchdog open() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(SIGACTION_BYTES, Long.BYTES);
            action.set(ValueLayout.JAVA_LONG, 0, HANDLER.address());
            ErrnoException.check("sigaction", Libc.callInt(SIGACTION, SIGNAL, action.address(), 0, 0, 0));
            MemorySegment event = arena.allocate(SIGEVENT_BYTES, Long.BYTES);
            event.set(ValueLayout.JAVA_INT, SIGEV_SIGNO, SIGNAL);
            event.set(ValueLayout.JAVA_INT, SIGEV_NOTIFY, SIGEV_THREAD_ID);
            event.set(ValueLayout.JAVA_INT, SIGEV_THREAD, Libc.callInt(GETTID, 0, 0, 0, 0, 0));
            MemorySegment timer = arena.allocate(ValueLayout.JAVA_LONG);
            ErrnoException.check(
                    "timer_create",
                    Libc.callInt(TIMER_CREATE, CLOCK_MONOTONIC, event.address(), timer.address(), 0, 0));
            return new BlockedSyscallWatchdog(timer.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    /** Before calls that might wait. Does nothing the second time. */
    public void arm() {
        if (!armed) {
            armed = true;
            set(ticking);
        }
    }

    /** When no such calls are to be expected: the thread is left alone then. */
    public void disarm() {
        if (armed) {
            armed = false;
            set(still);
        }
    }

    /** Whether waits end within a tick. */
    public boolean isArmed() {
        return armed;
    }

    private void set(MemorySegment times) {
        int result = Libc.callInt(TIMER_SETTIME, timer, 0, times.address(), 0, 0);
        assert result == 0;
    }

    @Override
    public void close() {
        int result = Libc.callInt(TIMER_DELETE, timer, 0, 0, 0, 0);
        assert result == 0;
        arena.close();
    }
}
