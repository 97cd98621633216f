package org.vhostuserrng.backends.source;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The XOR of two sources, which is as good as the better one. Provides bytes only while both sources have bytes. A DRBG
 * and a full-entropy source form the RBG3(XOR) construction of SP 800-90C. Confined to the event loop's thread.
 *
 * <p>Each byte of one source is combined with one byte of the other: bytes of the first source are buffered until the
 * second source has provided as many, and the second source is read only while the buffer is not empty. The bytes are
 * combined before they are written to the target, where a guest could read them.
 */
final class XorSource implements EntropySource {
    private static final int BUFFER_BYTES = 1024;

    private final EntropySource first;
    private final EntropySource second;
    /** Bytes of the first source from {@link #readIndex} to {@link #endIndex}; zero elsewhere. */
    private final MemorySegment firstBuffer = Arena.ofAuto().allocate(BUFFER_BYTES);
    /** Bytes of the second source; zero except within {@link #fill}. */
    private final MemorySegment staging = Arena.ofAuto().allocate(BUFFER_BYTES);

    private final VmForkDetector forkDetector;
    private int seenForks;
    private boolean inTurn;
    private int readIndex;
    private int endIndex;

    /** Creates the XOR of two sources. Takes ownership of both sources. */
    XorSource(EntropySource first, EntropySource second, VmForkDetector forkDetector) {
        this.first = first;
        this.second = second;
        this.forkDetector = forkDetector;
        this.seenForks = forkDetector.forks();
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (!inTurn) {
            forkDetector.poll();
        }
        if (forkDetector.forks() != seenForks) {
            seenForks = forkDetector.forks();
            wipe();
        }
        if (readIndex == endIndex) {
            int filled = first.fill(firstBuffer, 0, Math.min(length, BUFFER_BYTES));
            if (filled <= 0) {
                return filled;
            }
            readIndex = 0;
            endIndex = filled;
        }
        int filled = second.fill(staging, 0, Math.min(length, endIndex - readIndex));
        if (filled > 0) {
            xorInto(target, offset, filled);
        }
        return filled;
    }

    @Override
    public void beginTurn(int expectedBytes) {
        inTurn = true;
        forkDetector.poll();
        first.beginTurn(expectedBytes);
        second.beginTurn(expectedBytes);
    }

    @Override
    public void endTurn() {
        inTurn = false;
        first.endTurn();
        second.endTurn();
    }

    /**
     * {@inheritDoc} Returns the value of the source that returned {@link #WOULD_BLOCK}, which is the one to be read
     * next.
     */
    @Override
    public boolean isSharedByGuests() {
        return (readIndex == endIndex ? first : second).isSharedByGuests();
    }

    private void xorInto(MemorySegment target, long offset, int length) {
        for (int i = 0; i < length; i++) {
            byte a = firstBuffer.get(ValueLayout.JAVA_BYTE, readIndex);
            byte b = staging.get(ValueLayout.JAVA_BYTE, i);
            staging.set(ValueLayout.JAVA_BYTE, i, (byte) (a ^ b));
            firstBuffer.set(ValueLayout.JAVA_BYTE, readIndex, (byte) 0);
            readIndex++;
        }
        try {
            MemorySegment.copy(staging, 0, target, offset, length);
        } finally {
            staging.fill((byte) 0);
        }
    }

    private void wipe() {
        firstBuffer.fill((byte) 0);
        readIndex = 0;
        endIndex = 0;
    }

    @Override
    public void close() {
        wipe();
        first.close();
        second.close();
    }
}
