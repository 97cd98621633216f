package org.vhostuserrng.backends.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.libc.Libc;

/** A pseudo-terminal: the test has the side of the device, the source opens the side of the computer by its path. */
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

    /** The side of the computer. */
    Path path() {
        call("ptsname_r", buffer.address(), buffer.byteSize());
        return Path.of(buffer.getString(0));
    }

    /** Sends what fits. Returns the number of bytes. */
    int send(byte[] bytes) {
        int length = Math.min(bytes.length, (int) buffer.byteSize());
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        return Libc.callInt(Libc.symbol("write"), master, buffer.address(), length, 0, 0);
    }

    /** Whether the terminal edits lines and echoes, as it does at first. */
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

    /** Hangs up. */
    @Override
    public void close() {
        call("close", 0, 0);
    }
}
