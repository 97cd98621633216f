package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;

/**
 * Interrupts blocked system calls of the thread that opened it: while the watchdog is armed, a timer sends a signal
 * every {@link #TICK_MILLIS} ms, and a blocked call fails with EINTR.
 *
 * <p>Needed for the eventfds of front-ends. O_NONBLOCK is a flag of the open file description, which the front-end
 * shares. The front-end can clear the flag at any time, and a write to a full counter then blocks forever. Linux has no
 * non-blocking write to a blocking eventfd (eventfd does not support RWF_NOWAIT for writes). A check before the write
 * would be a race that the front-end can win.
 */
public final class BlockedSyscallWatchdog implements AutoCloseable {
    /**
     * Interval between two signals, and thus the maximum time that a call blocks. The signals cost about 1 ms of CPU
     * time per second while the watchdog is armed.
     */
    public static final int TICK_MILLIS = 2;

    private static final MemorySegment SIGACTION = Libc.symbol("sigaction");
    private static final MemorySegment GETTID = Libc.symbol("gettid");
    private static final MemorySegment TIMER_CREATE = Libc.symbol("timer_create");
    private static final MemorySegment TIMER_SETTIME = Libc.symbol("timer_settime");
    private static final MemorySegment TIMER_DELETE = Libc.symbol("timer_delete");
    /** The signal handler: getpid(2) is async-signal-safe and has no side effects. */
    private static final MemorySegment HANDLER = Libc.symbol("getpid");

    /** A real-time signal that neither libc nor the JVM uses. */
    private static final int SIGNAL = 40;

    private static final int CLOCK_MONOTONIC = 1;
    private static final int SIGEV_THREAD_ID = 4;

    // libc's (not the kernel's) struct sigaction { void (*sa_handler)(int); sigset_t sa_mask; int sa_flags; void
    // (*sa_restorer)(void); }. SA_RESTART is not set, so that interrupted calls fail with EINTR.
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
    private final MemorySegment periodic = arena.allocate(ITIMERSPEC_BYTES, Long.BYTES);
    private final MemorySegment stopped = arena.allocate(ITIMERSPEC_BYTES, Long.BYTES);
    private final long timer;
    private boolean armed;

    private BlockedSyscallWatchdog(long timer) {
        this.timer = timer;
        long nanos = TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
        periodic.set(ValueLayout.JAVA_LONG, INTERVAL_NANOS, nanos);
        periodic.set(ValueLayout.JAVA_LONG, VALUE_NANOS, nanos);
    }

    /** Opens a disarmed watchdog for the calling thread. */
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

    /** Arms the watchdog: blocked calls are interrupted from now on. Idempotent. */
    public void arm() {
        if (!armed) {
            armed = true;
            set(periodic);
        }
    }

    /** Disarms the watchdog, to save the signals while no call is expected to block. Idempotent. */
    public void disarm() {
        if (armed) {
            armed = false;
            set(stopped);
        }
    }

    /** Returns whether the watchdog is armed. */
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
