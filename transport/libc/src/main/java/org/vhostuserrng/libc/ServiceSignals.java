package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import sun.misc.Signal;

/**
 * Handles signals whose default action ends a process, but that must not end a service: SIGHUP, SIGUSR1, the signals of
 * timers, SIGIO, SIGPWR and SIGSTKFLT. SIGUSR2 is not handled: the JVM uses it. SIGQUIT is ignored: the JVM would print
 * the stacks of all threads to stdout, and wait while a pipe there is full.
 */
public final class ServiceSignals {
    /** The signal that asks a service to reload its configuration. */
    public static final String SIGHUP = "SIGHUP";

    private static final MemorySegment SIGNAL = Libc.symbol("signal");
    private static final MemorySegment SIGACTION = Libc.symbol("sigaction");
    /** At least the size of struct sigaction, which begins with the handler. */
    private static final int SIGACTION_BYTES = 256;

    private static final int SIGQUIT = 3;
    // signal(7): libc uses the first two real-time signals itself.
    private static final int FIRST_REAL_TIME = 34;
    private static final int LAST_REAL_TIME = 64;
    private static final long SIG_DFL = 0;
    private static final long SIG_IGN = 1;

    private static final List<String> NAMES = List.of("HUP", "USR1", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT");

    private ServiceSignals() {}

    /**
     * Installs the handlers, and ignores SIGQUIT and all real-time signals that have no handler.
     *
     * @param onSignal receives the name of each signal that arrives, on a thread of the JVM
     */
    public static void survive(Consumer<String> onSignal) {
        surviveAllBut(Set.of(), onSignal);
    }

    /**
     * Like {@link #survive}, but does not install handlers for some signals.
     *
     * @param others names of these signals without {@code SIG}
     */
    public static void surviveAllBut(Set<String> others, Consumer<String> onSignal) {
        for (String name : NAMES) {
            if (!others.contains(name)) {
                handle(name, onSignal);
            }
        }
        setHandler(SIGQUIT, SIG_IGN);
        for (int signal = FIRST_REAL_TIME; signal <= LAST_REAL_TIME; signal++) {
            // An existing handler is not replaced and restored: signal(2) would restore it with other flags.
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

    /** Returns false if the signal does not exist on this architecture, or if the JVM option -Xrs reserves it. */
    private static boolean handle(String name, Consumer<String> onSignal) {
        try {
            Signal.handle(new Signal(name), received -> onSignal.accept("SIG" + received.getName()));
            return true;
        } catch (IllegalArgumentException absent) {
            return false;
        }
    }
}
