package org.vhostuserrng.libc;

import java.io.IOException;

/**
 * The failure of a system call. The message contains the call, the errno and its description. No guest can cause it.
 */
public final class ErrnoException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * Creates the exception of a failed call.
     *
     * @param call name of the call, for the message
     * @param errno the error number, positive
     */
    public ErrnoException(String call, int errno) {
        super(call + ": " + Libc.describe(errno) + " (errno " + errno + ")");
        this.errno = errno;
    }

    /** The error number, positive. */
    public int errno() {
        return errno;
    }

    /**
     * Returns the result of a call.
     *
     * @throws ErrnoException if the result is a negated errno
     */
    public static int check(String call, int result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, -result);
        }
        return result;
    }
}
