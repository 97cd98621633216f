package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How a child process ended. Until it is reaped, its number belongs to no other process.
 *
 * @param exited whether it exited, rather than being killed by a signal
 * @param status the exit status, or the number of the signal
 */
public record ChildStatus(int pid, boolean exited, int status) {
    private static final MemorySegment WAITID = Libc.symbol("waitid");
    private static final MemorySegment STRSIGNAL = Libc.symbol("strsignal");
    private static final int P_ALL = 0;
    private static final int P_PID = 1;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x0100_0000;

    // siginfo_t, 128 bytes: si_code at 8, si_pid at 16, si_status at 24
    private static final int SIGINFO_BYTES = 128;
    private static final int SI_CODE = 8;
    private static final int SI_PID = 16;
    private static final int SI_STATUS = 24;
    private static final int CLD_EXITED = 1;

    /** The status of a child that has ended and is not reaped yet; null while it runs. */
    public static ChildStatus of(int pid) {
        return peek(P_PID, pid);
    }

    /** The status of any child that has ended and is not reaped yet; null if there is none. */
    public static ChildStatus ofAny() {
        return peek(P_ALL, 0);
    }

    /** Removes a child that has ended from the system's table of processes. */
    public static void reap(int pid) {
        int ignored = Libc.callInt(WAITID, P_PID, pid, 0, WEXITED | WNOHANG, 0);
        assert ignored <= 0;
    }

    private static ChildStatus peek(int type, int id) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment siginfo = arena.allocate(SIGINFO_BYTES, Long.BYTES);
            int result = Libc.callInt(WAITID, type, id, siginfo.address(), WEXITED | WNOHANG | WNOWAIT, 0);
            int pid = siginfo.get(ValueLayout.JAVA_INT, SI_PID);
            if (result < 0 || pid == 0) {
                return null;
            }
            boolean exited = siginfo.get(ValueLayout.JAVA_INT, SI_CODE) == CLD_EXITED;
            return new ChildStatus(pid, exited, siginfo.get(ValueLayout.JAVA_INT, SI_STATUS));
        }
    }

    /** In words, such as {@code was killed by signal 9 (Killed)}. */
    @Override
    public String toString() {
        return exited
                ? "exited with status " + status
                : "was killed by signal " + status + " (" + Libc.text(STRSIGNAL, status) + ")";
    }
}
