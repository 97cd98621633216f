package org.vhostuserrng.backends.sys;

import java.lang.foreign.MemorySegment;

/** Moves random bytes out of a buffer without leaving a copy there. Only one thread at a time may use a buffer. */
public final class WipingCopy {
    private WipingCopy() {}

    /**
     * Copies bytes to {@code target} and wipes them in {@code from}, even if the copy fails. Does not allocate once it
     * is compiled.
     *
     * @throws InternalError if the target memory is mapped from a file that has been truncated
     */
    public static void moveAndWipe(MemorySegment from, long start, MemorySegment target, long offset, int length) {
        try {
            MemorySegment.copy(from, start, target, offset, length);
        } finally {
            from.asSlice(start, length).fill((byte) 0);
        }
    }
}
