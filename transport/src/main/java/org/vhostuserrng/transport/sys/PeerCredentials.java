package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/**
 * The peer process of a UNIX socket: the one that called connect(2), listen(2) or socketpair(2) for the other end
 * (unix(7), SO_PEERCRED).
 *
 * @param pid the process ID; 0 for a process that is not visible in the pid namespace of this process
 * @param uid the effective user ID, unsigned
 * @param gid the effective group ID, unsigned
 */
public record PeerCredentials(int pid, int uid, int gid) {
    private static final MemorySegment GETSOCKOPT = Libc.symbol("getsockopt");
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;

    // struct ucred { pid_t pid; uid_t uid; gid_t gid; };
    private static final int UCRED_BYTES = 12;

    /** Returns the credentials of a socket's peer; null if getsockopt(2) fails. */
    static PeerCredentials of(int socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment peer = arena.allocate(UCRED_BYTES, Integer.BYTES);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, UCRED_BYTES);
            int result = Libc.callInt(GETSOCKOPT, socket, SOL_SOCKET, SO_PEERCRED, peer.address(), length.address());
            return result < 0
                    ? null
                    : new PeerCredentials(
                            peer.get(ValueLayout.JAVA_INT, 0),
                            peer.get(ValueLayout.JAVA_INT, 4),
                            peer.get(ValueLayout.JAVA_INT, 8));
        }
    }

    @Override
    public String toString() {
        return "pid " + pid + ", uid " + Integer.toUnsignedString(uid) + ", gid " + Integer.toUnsignedString(gid);
    }
}
