package org.vhostuserrng.backends.sys;

import java.lang.foreign.MemorySegment;

/** A file descriptor with one owner, closed once, by the thread that owns it. Others may use the number until then. */
final class UniqueFd implements AutoCloseable {
    private static final MemorySegment CLOSE = LibcCalls.symbol("close");
    private static final int CLOSED = -1;

    private int number;

    UniqueFd(int number) {
        this.number = number;
    }

    /** For a system call, which fails with EBADF once this is closed. */
    int number() {
        return number;
    }

    /** Does nothing the second time. Linux frees the number even when close reports an error, so that is not acted on. */
    @Override
    public void close() {
        if (number != CLOSED) {
            int closing = number;
            number = CLOSED;
            int ignored = LibcCalls.callInt(CLOSE, closing, 0, 0, 0, 0);
            assert ignored <= 0;
        }
    }
}
