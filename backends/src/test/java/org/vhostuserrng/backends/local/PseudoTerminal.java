package org.vhostuserrng.backends.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.libc.Libc;

/**
 * A pseudo-terminal. The test has the master side, which represents the device, and the source opens the slave side by
 * its path.
 */
final class PseudoTerminal implements AutoCloseable {
    private static final int O_RDWR_NOCTTY_NONBLOCK = 0x902;
    private static final int TCGETS = 0x5401;
    private static final int C_LFLAG = 12;
    private static final int ICANON = 2;
    private static final int ECHO = 8;

    private final int master = Libc.callInt(Libc.symbol("posix_openpt"), O_RDWR_NOCTTY_NONBLOCK, 0, 0, 0, 0);
    private final MemorySegment buffer = Arena.ofAuto().allocate(256);

    PseudoTerminal() {
        call("grantpt", 0, 0);
        call("unlockpt", 0, 0);
    }

    /** Returns the path of the slave side. */
    Path path() {
        call("ptsname_r", buffer.address(), buffer.byteSize());
        return Path.of(buffer.getString(0));
    }

    /** Sends as many bytes as fit. Returns their number. */
    int send(byte[] bytes) {
        int length = Math.min(bytes.length, (int) buffer.byteSize());
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        return Libc.callInt(Libc.symbol("write"), master, buffer.address(), length, 0, 0);
    }

    /** Returns whether the terminal edits lines and echoes input, as it does initially. */
    boolean isCooked() {
        call("ioctl", TCGETS, buffer.address());
        return (buffer.get(ValueLayout.JAVA_INT, C_LFLAG) & (ICANON | ECHO)) == (ICANON | ECHO);
    }

    private void call(String function, long first, long second) {
        int result = Libc.callInt(Libc.symbol(function), master, first, second, 0, 0);
        if (result != 0) {
            throw new AssertionError(function + ": " + result);
        }
    }

    /** Hangs up the terminal. */
    @Override
    public void close() {
        call("close", 0, 0);
    }
}
