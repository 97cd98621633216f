package org.vhostuserrng.daemon.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/** The kind of a descriptor that this process inherited. */
public final class InheritedSocket {
    private static final MemorySegment GETSOCKOPT = Libc.symbol("getsockopt");
    private static final MemorySegment GETPEERNAME = Libc.symbol("getpeername");
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOL_SOCKET = 1;
    private static final int SO_TYPE = 3;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_DOMAIN = 39;

    private InheritedSocket() {}

    /** Whether a descriptor is a UNIX stream socket that is listening or connected. Does not change or close it. */
    public static boolean isUnixStream(int fd) {
        return option(fd, SO_DOMAIN) == AF_UNIX
                && option(fd, SO_TYPE) == SOCK_STREAM
                && (option(fd, SO_ACCEPTCONN) == 1 || isConnected(fd));
    }

    /** An option's value, or a negated errno. */
    private static int option(int fd, int name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            int result = Libc.callInt(GETSOCKOPT, fd, SOL_SOCKET, name, value.address(), length.address());
            return result < 0 ? result : value.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static boolean isConnected(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            // Length 0: the name itself is not needed.
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
            return Libc.callInt(GETPEERNAME, fd, length.address(), length.address(), 0, 0) == 0;
        }
    }
}
