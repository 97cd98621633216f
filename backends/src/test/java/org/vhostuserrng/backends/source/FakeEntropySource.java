package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** A source whose bytes a test can foretell, and which has as many as the test says, or none, or has failed. */
public final class FakeEntropySource implements EntropySource {
    public static final int ENDLESS = Integer.MAX_VALUE;

    private final RandomGenerator bytes;
    private int supply = ENDLESS;
    private boolean broken;
    private int mostAtOnce = ENDLESS;
    private long given;
    private boolean closed;
    private boolean shared;

    public FakeEntropySource(long seed) {
        bytes = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** So many bytes more, and then nothing for now. */
    public FakeEntropySource withSupply(int more) {
        supply = more;
        return this;
    }

    public FakeEntropySource breaking(boolean nowBroken) {
        broken = nowBroken;
        return this;
    }

    public FakeEntropySource inPiecesOf(int most) {
        mostAtOnce = most;
        return this;
    }

    /** What it has is everybody's. */
    public FakeEntropySource shared() {
        shared = true;
        return this;
    }

    public long given() {
        return given;
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (broken) {
            return FAILED;
        }
        int filled = Math.min(Math.min(length, mostAtOnce), supply);
        for (int i = 0; i < filled; i++) {
            target.set(ValueLayout.JAVA_BYTE, offset + i, (byte) bytes.nextInt());
        }
        supply -= supply == ENDLESS ? 0 : filled;
        given += filled;
        return filled == 0 ? NOT_NOW : filled;
    }

    @Override
    public boolean isShared() {
        return shared;
    }

    @Override
    public void close() {
        closed = true;
    }

    /** What {@code source} gives at once, which may be less than asked for. */
    public static byte[] take(EntropySource source, int length) {
        byte[] taken = new byte[length];
        int filled = source.fill(MemorySegment.ofArray(taken), 0, length);
        return Arrays.copyOf(taken, Math.max(filled, 0));
    }
}
