package org.vhostuserrng.cli.top;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The size of the terminal that is stdout.
 *
 * @param columns width in characters, at least 1
 * @param rows height in lines, at least 1
 */
record TerminalSize(int columns, int rows) {
    private static final int STDOUT = 1;
    /** ioctl_tty(2): returns the window size. */
    private static final long TIOCGWINSZ = 0x5413;
    // struct winsize { unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel; };
    private static final int WINSIZE_BYTES = 8;
    private static final TerminalSize UNKNOWN = new TerminalSize(80, 24);

    /** The function that jnr-ffi binds to libc. */
    public interface Calls {
        int ioctl(int fd, long request, Pointer argument);
    }

    /** Returns the current size; 80 × 24 if the terminal does not report it; null if stdout is not a terminal. */
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
