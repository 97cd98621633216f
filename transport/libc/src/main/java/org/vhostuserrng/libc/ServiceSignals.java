package org.vhostuserrng.libc;

import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;

/**
 * Signals that would end a process by default, but mean nothing to a service: SIGHUP, which asks others to reload their
 * configuration, and those of timers and of users. SIGUSR2 belongs to the JVM, which survives it.
 */
public final class ServiceSignals {
    /** The signal that asks a service to reload its configuration. */
    public static final String SIGHUP = "SIGHUP";

    private static final List<String> NAMES = List.of("HUP", "USR1", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT");

    private ServiceSignals() {}

    /**
     * Survives these signals from now on.
     *
     * @param onSignal receives the name of a signal that has arrived, on a thread of its own
     */
    public static void survive(Consumer<String> onSignal) {
        for (String name : NAMES) {
            handle(name, onSignal);
        }
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
