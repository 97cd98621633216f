package org.vhostuserrng.cli.top;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The size of the terminal that is stdout.
 *
 * @param columns at least 1
 * @param rows at least 1
 */
record TerminalSize(int columns, int rows) {
    private static final int STDOUT = 1;
    /** ioctl_tty(2). */
    private static final long TIOCGWINSZ = 0x5413;
    // struct winsize { unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel; };
    private static final int WINSIZE_BYTES = 8;
    private static final TerminalSize UNKNOWN = new TerminalSize(80, 24);

    /** Bound to libc by jnr-ffi. */
    public interface Calls {
        int ioctl(int fd, long request, Pointer argument);
    }

    /** The current size; 80 × 24 if the terminal does not tell. Null if stdout is no terminal. */
    static TerminalSize ofStdout() {
        Calls calls = LibraryLoader.create(Calls.class).load("c");
        Pointer size = Runtime.getRuntime(calls).getMemoryManager().allocateDirect(WINSIZE_BYTES);
        if (calls.ioctl(STDOUT, TIOCGWINSZ, size) != 0) {
            return null;
        }
        int rows = Short.toUnsignedInt(size.getShort(0));
        int columns = Short.toUnsignedInt(size.getShort(2));
        return rows == 0 || columns == 0 ? UNKNOWN : new TerminalSize(columns, rows);
    }
}
