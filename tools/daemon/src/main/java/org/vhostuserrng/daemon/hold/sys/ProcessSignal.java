package org.vhostuserrng.daemon.hold.sys;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/** The system call kill(2). */
public final class ProcessSignal {
    public static final int SIGHUP = 1;
    public static final int SIGINT = 2;
    public static final int SIGKILL = 9;
    public static final int SIGUSR1 = 10;
    public static final int SIGUSR2 = 12;
    public static final int SIGTERM = 15;

    private static final MemorySegment KILL = Libc.symbol("kill");

    private ProcessSignal() {}

    /** Sends a signal to a child process, which must not have been reaped. Ignores a failure. */
    public static void send(int pid, int signal) {
        int ignored = Libc.callInt(KILL, pid, signal, 0, 0, 0);
        assert ignored <= 0;
    }
}
