package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** A source of predictable bytes, for which a test sets the number of bytes and whether it fails. */
public final class FakeEntropySource implements EntropySource {
    public static final int ENDLESS = Integer.MAX_VALUE;

    private final RandomGenerator bytes;
    private int supply = ENDLESS;
    private boolean broken;
    private int maxBytesPerRead = ENDLESS;
    private long bytesRead;
    private boolean closed;
    private boolean shared;

    public FakeEntropySource(long seed) {
        bytes = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** Makes the source provide {@code more} bytes, then {@link #WOULD_BLOCK}. */
    public FakeEntropySource withSupply(int more) {
        supply = more;
        return this;
    }

    public FakeEntropySource broken(boolean isBroken) {
        this.broken = isBroken;
        return this;
    }

    public FakeEntropySource inPiecesOf(int maxBytes) {
        maxBytesPerRead = maxBytes;
        return this;
    }

    /** Makes {@link #isSharedByGuests} return true. */
    public FakeEntropySource shared() {
        shared = true;
        return this;
    }

    public long bytesRead() {
        return bytesRead;
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (broken) {
            return FAILED;
        }
        int filled = Math.min(Math.min(length, maxBytesPerRead), supply);
        for (int i = 0; i < filled; i++) {
            target.set(ValueLayout.JAVA_BYTE, offset + i, (byte) bytes.nextInt());
        }
        supply -= supply == ENDLESS ? 0 : filled;
        bytesRead += filled;
        return filled == 0 ? WOULD_BLOCK : filled;
    }

    @Override
    public boolean isSharedByGuests() {
        return shared;
    }

    @Override
    public void close() {
        closed = true;
    }

    /** Reads once. Returns the bytes, which may be fewer than {@code length}. */
    public static byte[] read(EntropySource source, int length) {
        byte[] read = new byte[length];
        int filled = source.fill(MemorySegment.ofArray(read), 0, length);
        return Arrays.copyOf(read, Math.max(filled, 0));
    }
}
