package org.vhostuserrng.backends.sys;

import java.lang.foreign.MemorySegment;

/** Random bytes that have been made, and not yet been given to anybody. Any thread, one at a time for the same memory. */
public final class WipingCopy {
    private WipingCopy() {}

    /**
     * Moves bytes out: they exist in one place only, afterwards and if the copy fails. Makes no garbage once it is compiled.
     *
     * @throws InternalError if the memory to move to has vanished
     */
    public static void move(MemorySegment from, long start, MemorySegment target, long offset, int length) {
        try {
            MemorySegment.copy(from, start, target, offset, length);
        } finally {
            from.asSlice(start, length).fill((byte) 0);
        }
    }
}
