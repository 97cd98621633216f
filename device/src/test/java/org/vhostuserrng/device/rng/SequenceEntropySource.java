package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/**
 * A source of a known sequence with a period of 251 and no zero bytes. Returns at most {@link #atMost} bytes per fill,
 * and {@link #left} bytes in all. Also used by the fuzz tests.
 */
final class SequenceEntropySource implements SharedSourceSpec {
    int atMost = Integer.MAX_VALUE;
    long left = Long.MAX_VALUE;
    long given;
    int calls;
    boolean open;
    /** Without bytes left, a fill returns {@link EntropySource#FAILED} instead of {@link EntropySource#WOULD_BLOCK}. */
    boolean failsWhenEmpty;

    static byte byteAt(long position) {
        return (byte) (1 + position % 251);
    }

    @Override
    public void probe() {}

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onReadable) {
        open = true;
        return new EntropySource() {
            @Override
            public int fill(MemorySegment target, long offset, int length) {
                calls++;
                int filled = (int) Math.min(Math.min(length, atMost), left);
                for (int i = 0; i < filled; i++) {
                    target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(given++));
                }
                left -= filled;
                return filled == 0 && failsWhenEmpty ? FAILED : filled;
            }

            @Override
            public void close() {
                open = false;
            }
        };
    }
}
