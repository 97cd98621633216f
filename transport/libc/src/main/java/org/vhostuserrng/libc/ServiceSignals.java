package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;

/**
 * Signals that would end a process by default, but mean nothing to a service: SIGHUP, which asks others to reload their
 * configuration, and those of timers and of users. SIGUSR2 belongs to the JVM, which survives it. SIGQUIT makes the JVM
 * print the stacks of all threads to stdout, and wait while a pipe there is full; it is ignored.
 */
public final class ServiceSignals {
    /** The signal that asks a service to reload its configuration. */
    public static final String SIGHUP = "SIGHUP";

    private static final MemorySegment SIGNAL = Libc.symbol("signal");
    private static final MemorySegment SIGACTION = Libc.symbol("sigaction");
    /** At least the size of struct sigaction, which begins with the handler. */
    private static final int SIGACTION_BYTES = 256;

    private static final int SIGQUIT = 3;
    // signal(7): the first two real-time signals belong to libc.
    private static final int FIRST_REAL_TIME = 34;
    private static final int LAST_REAL_TIME = 64;
    private static final long SIG_DFL = 0;
    private static final long SIG_IGN = 1;

    private static final List<String> NAMES = List.of("HUP", "USR1", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT");

    private ServiceSignals() {}

    /**
     * Survives these signals from now on, and ignores SIGQUIT and the real-time signals that nobody handles.
     *
     * @param onSignal receives the name of a signal that has arrived, on a thread of its own
     */
    public static void survive(Consumer<String> onSignal) {
        for (String name : NAMES) {
            handle(name, onSignal);
        }
        setHandler(SIGQUIT, SIG_IGN);
        for (int signal = FIRST_REAL_TIME; signal <= LAST_REAL_TIME; signal++) {
            // Another handler stays untouched: signal(2) would install it again with other flags.
            if (isDefault(signal)) {
                setHandler(signal, SIG_IGN);
            }
        }
    }

    private static boolean isDefault(int signal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment current = arena.allocate(SIGACTION_BYTES, Long.BYTES);
            int result = Libc.callInt(SIGACTION, signal, 0, current.address(), 0, 0);
            return result == 0 && current.get(ValueLayout.JAVA_LONG, 0) == SIG_DFL;
        }
    }

    private static void setHandler(int signal, long handler) {
        long previous = Libc.callLong(SIGNAL, signal, handler, 0, 0, 0, 0);
        assert previous >= 0;
    }

    /** Returns whether the signal exists on this architecture and is not left to the system by -Xrs. */
    private static boolean handle(String name, Consumer<String> onSignal) {
        try {
            Signal.handle(new Signal(name), received -> onSignal.accept("SIG" + received.getName()));
            return true;
        } catch (IllegalArgumentException absent) {
            return false;
        }
    }
}
