package org.vhostuserrng.libc;

import java.io.IOException;

/** A system call failed. The message contains the call, the errno and its description. Never caused by a guest. */
public final class ErrnoException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * Creates the exception of a failed call.
     *
     * @param errno positive
     */
    public ErrnoException(String call, int errno) {
        super(call + ": " + Libc.describe(errno) + " (errno " + errno + ")");
        this.errno = errno;
    }

    /** The error number, positive. */
    public int errno() {
        return errno;
    }

    /** Returns the result of a call, or throws if it is a negated errno. */
    public static int check(String call, int result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, -result);
        }
        return result;
    }
}
