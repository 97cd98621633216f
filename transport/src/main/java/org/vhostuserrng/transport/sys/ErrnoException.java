package org.vhostuserrng.transport.sys;

import java.io.IOException;

/** Our own operating system refused a call: the call, its errno and the text of it. Never a guest's doing. */
public final class ErrnoException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    ErrnoException(String call, int errno) {
        super(call + ": " + Libc.describe(errno) + " (errno " + errno + ")");
        this.errno = errno;
    }

    /** The error number, positive. */
    public int errno() {
        return errno;
    }

    /** The result of {@code call} if it succeeded. */
    static int check(String call, int result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, -result);
        }
        return result;
    }
}
