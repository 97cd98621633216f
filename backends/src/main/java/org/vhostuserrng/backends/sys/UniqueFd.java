package org.vhostuserrng.backends.sys;

import java.lang.foreign.MemorySegment;

/**
 * A file descriptor with one owner. Closed once, by the owner's thread; other threads may use the number until then.
 */
final class UniqueFd implements AutoCloseable {
    private static final MemorySegment CLOSE = LibcCalls.symbol("close");
    private static final int CLOSED = -1;

    private int number;

    UniqueFd(int number) {
        this.number = number;
    }

    /** The number for a system call; -1 after {@link #close}, so that the call fails with EBADF. */
    int number() {
        return number;
    }

    /** Idempotent. Ignores errors, because Linux frees the descriptor even if close(2) fails. */
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
