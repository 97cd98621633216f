package org.vhostuserrng.daemon.hold.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;

/** The limit of open descriptors of this process (RLIMIT_NOFILE). */
public final class OpenFileLimit {
    private static final MemorySegment GETRLIMIT = Libc.symbol("getrlimit");
    private static final MemorySegment SETRLIMIT = Libc.symbol("setrlimit");
    private static final int RLIMIT_NOFILE = 7;

    private OpenFileLimit() {}

    /** Returns the soft limit, which the JVM has raised to the hard limit at its start. */
    public static long current() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limit = arena.allocate(2 * Long.BYTES, Long.BYTES);
            ErrnoException.check("getrlimit", Libc.callInt(GETRLIMIT, RLIMIT_NOFILE, limit.address(), 0, 0, 0));
            return limit.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Raises the soft limit to the hard limit, and returns the limit. Child processes inherit it. */
    public static long raise() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            // struct rlimit { rlim_t rlim_cur; rlim_t rlim_max; };
            MemorySegment limit = arena.allocate(2 * Long.BYTES, Long.BYTES);
            ErrnoException.check("getrlimit", Libc.callInt(GETRLIMIT, RLIMIT_NOFILE, limit.address(), 0, 0, 0));
            long hard = limit.get(ValueLayout.JAVA_LONG, Long.BYTES);
            limit.set(ValueLayout.JAVA_LONG, 0, hard);
            ErrnoException.check("setrlimit", Libc.callInt(SETRLIMIT, RLIMIT_NOFILE, limit.address(), 0, 0, 0));
            return hard;
        }
    }
}
