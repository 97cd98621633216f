package org.vhostuserrng.backends.source;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Two sources, XORed: as good as the better one. With a DRBG on one side and full entropy on the other it is the
 * RBG3(XOR) construction of SP 800-90C. Serves only while both do.
 *
 * <p>The two never get out of step: bytes of the first are kept until the second has as many, bytes of the second are
 * only asked for when there are some to go with. Neither reaches the target before they are joined, since a guest could
 * look at them there.
 */
final class XorSource implements EntropySource {
    private static final int KEPT_BYTES = 1024;

    private final EntropySource first;
    private final EntropySource second;
    /** Of the first source; zero outside {@link #from} to {@link #to}. */
    private final MemorySegment kept = Arena.ofAuto().allocate(KEPT_BYTES);
    /** Of the second source; zero but within {@link #fill}. */
    private final MemorySegment staging = Arena.ofAuto().allocate(KEPT_BYTES);

    private int from;
    private int to;

    /** Both sources are closed with this. */
    XorSource(EntropySource first, EntropySource second) {
        this.first = first;
        this.second = second;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (from == to) {
            int filled = first.fill(kept, 0, Math.min(length, KEPT_BYTES));
            if (filled <= 0) {
                return filled;
            }
            from = 0;
            to = filled;
        }
        int filled = second.fill(staging, 0, Math.min(length, to - from));
        if (filled > 0) {
            join(target, offset, filled);
        }
        return filled;
    }

    /** Speaks for the one that is asked next, which is the one that had nothing. */
    @Override
    public boolean isShared() {
        return (from == to ? first : second).isShared();
    }

    private void join(MemorySegment target, long offset, int length) {
        for (int i = 0; i < length; i++) {
            byte joined = (byte) (kept.get(ValueLayout.JAVA_BYTE, from) ^ staging.get(ValueLayout.JAVA_BYTE, i));
            staging.set(ValueLayout.JAVA_BYTE, i, joined);
            kept.set(ValueLayout.JAVA_BYTE, from, (byte) 0);
            from++;
        }
        try {
            MemorySegment.copy(staging, 0, target, offset, length);
        } finally {
            staging.fill((byte) 0);
        }
    }

    @Override
    public void close() {
        kept.fill((byte) 0);
        from = 0;
        to = 0;
        first.close();
        second.close();
    }
}
