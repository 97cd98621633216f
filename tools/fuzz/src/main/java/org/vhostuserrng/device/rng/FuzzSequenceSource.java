package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/** A source that counts: what it gives out tells how much it gave out before. None of its bytes is zero. */
final class FuzzSequenceSource implements SharedSourceSpec {
    private static final int PERIOD = 251;

    /** The most that it gives out at once. */
    int atMost = Integer.MAX_VALUE;

    /** What it has left to give; behind that it fails, as what a dry one gives depends on who else waits. */
    long left = Long.MAX_VALUE;

    long given;

    static byte byteAt(long position) {
        return (byte) (1 + position % PERIOD);
    }

    @Override
    public void probe() {}

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onReadable) {
        return new EntropySource() {
            @Override
            public int fill(MemorySegment target, long offset, int length) {
                int filled = (int) Math.min(Math.min(length, atMost), left);
                for (int i = 0; i < filled; i++) {
                    target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(given + i));
                }
                given += filled;
                left -= filled;
                return filled == 0 ? FAILED : filled;
            }

            @Override
            public void close() {
                // Nothing is held.
            }
        };
    }
}
