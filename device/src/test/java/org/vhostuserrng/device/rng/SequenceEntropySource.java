package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/**
 * A source of a known sequence of non-zero bytes with a period of 251. One fill writes at most {@link #maxPerFill}
 * bytes, and all further fills together write at most {@link #remaining} bytes. The fuzz tests also use this class.
 */
final class SequenceEntropySource implements SharedSourceSpec {
    int maxPerFill = Integer.MAX_VALUE;
    long remaining = Long.MAX_VALUE;
    /** The number of bytes that all fills have written. */
    long written;

    /** Whether the next fill returns {@link EntropySource#TARGET_FAULT} after it has written all bytes. */
    boolean targetFaults;
    /** Whether the next fill throws InternalError, like the JVM, after it has written all bytes. */
    boolean targetVanishes;

    /** Called by each fill after it has written its bytes, and before it fails. */
    Runnable onWritten = () -> {};

    /** The number of calls of fill. */
    int calls;

    /** The estimates of the turns that have begun. */
    final List<Integer> expectedBytesOfTurns = new ArrayList<>();

    boolean inTurn;
    boolean open;
    /**
     * Whether a fill without bytes left returns {@link EntropySource#FAILED} instead of
     * {@link EntropySource#WOULD_BLOCK}.
     */
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
                int filled = (int) Math.min(Math.min(length, maxPerFill), remaining);
                for (int i = 0; i < filled; i++) {
                    target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(written++));
                }
                remaining -= filled;
                onWritten.run();
                if (targetVanishes) {
                    targetVanishes = false;
                    throw new InternalError("a fault occurred in an unsafe memory access operation");
                }
                if (targetFaults) {
                    targetFaults = false;
                    return TARGET_FAULT;
                }
                return filled == 0 && failsWhenEmpty ? FAILED : filled;
            }

            @Override
            public void beginTurn(int expectedBytes) {
                inTurn = true;
                expectedBytesOfTurns.add(expectedBytes);
            }

            @Override
            public void endTurn() {
                inTurn = false;
            }

            @Override
            public void close() {
                open = false;
            }
        };
    }
}
