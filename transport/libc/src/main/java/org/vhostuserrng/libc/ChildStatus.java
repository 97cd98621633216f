package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How a child process ended. The kernel does not reuse the process ID until the child is reaped.
 *
 * @param exited true if the child exited, false if a signal killed it
 * @param status the exit status, or the number of the signal that killed the child
 */
public record ChildStatus(int pid, boolean exited, int status) {
    private static final MemorySegment WAITID = Libc.symbol("waitid");
    private static final MemorySegment STRSIGNAL = Libc.symbol("strsignal");
    private static final int P_ALL = 0;
    private static final int P_PID = 1;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x0100_0000;

    // siginfo_t has 128 bytes, with si_code at offset 8, si_pid at 16 and si_status at 24.
    private static final int SIGINFO_BYTES = 128;
    private static final int SI_CODE = 8;
    private static final int SI_PID = 16;
    private static final int SI_STATUS = 24;
    private static final int CLD_EXITED = 1;

    /** Returns how a child ended, without reaping it; null while the child runs, or if there is no such child. */
    public static ChildStatus of(int pid) {
        return peek(P_PID, pid);
    }

    /** Returns how any one child ended, without reaping it; null if no child has ended. */
    public static ChildStatus ofAny() {
        return peek(P_ALL, 0);
    }

    /** Reaps a child that has ended: the kernel may then reuse its process ID. Does not wait. */
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

    /** Describes the end of the child, such as {@code was killed by signal 9 (Killed)}. */
    @Override
    public String toString() {
        return exited
                ? "exited with status " + status
                : "was killed by signal " + status + " (" + Libc.text(STRSIGNAL, status) + ")";
    }
}
