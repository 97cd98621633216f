package org.vhostuserrng.backends.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.sys.GetrandomSyscall;
import org.vhostuserrng.backends.sys.VdsoGetrandom;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * The source {@code getrandom}. Small requests of one turn get their bytes from one call of getrandom(2): each byte is
 * wiped when it is copied to the guest, and the rest when the turn ends. For large requests, the system call writes
 * directly to guest memory. The vDSO function faults on unmapped memory, so it fills a block that is copied and wiped.
 * Never blocks. Confined to the event loop's thread.
 */
final class GetrandomSource implements EntropySource {
    /**
     * Size of the block in bytes: four pages or 256 small requests, small enough to stay in the L1 data cache until it
     * is copied.
     */
    static final int BLOCK_BYTES = 16 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSource.class);

    private final GetrandomMethodTable methods;
    /** The vDSO function; null if {@link #methods} does not use it. */
    private final VdsoGetrandom vdso;

    private final Arena arena = Arena.ofConfined();
    /** Bytes of this turn from {@link #readIndex} to {@link #endIndex}; zero elsewhere. */
    private final MemorySegment block = arena.allocate(BLOCK_BYTES, Long.BYTES);

    private int readIndex;
    private int endIndex;
    /** Estimate of the number of bytes that the guest still requests in this turn. */
    private int expected;

    /**
     * Creates a source. Takes ownership of {@code vdso}.
     *
     * @param vdso the vDSO function; null if {@code methods} does not use it
     */
    GetrandomSource(GetrandomMethodTable methods, VdsoGetrandom vdso) {
        this.methods = methods;
        this.vdso = vdso;
    }

    @Override
    public void beginTurn(int expectedBytes) {
        expected = expectedBytes;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (readIndex == endIndex) {
            int batch = Math.min(Math.max(expected, length), BLOCK_BYTES);
            if (batch <= length && methods.methodFor(length) == GetrandomMethod.SYSCALL) {
                expected -= length;
                return toFillResult(GetrandomSyscall.fill(target, offset, length));
            }
            int got = fillBlock(batch);
            if (got <= 0) {
                return toFillResult(got);
            }
        }
        int moved = Math.min(length, endIndex - readIndex);
        int start = readIndex;
        readIndex += moved;
        expected -= moved;
        WipingCopy.moveAndWipe(block, start, target, offset, moved);
        return moved;
    }

    private int fillBlock(int length) {
        int got = methods.methodFor(length) == GetrandomMethod.VDSO
                ? vdso.fillPrivate(block, 0, length)
                : GetrandomSyscall.fill(block, 0, length);
        readIndex = 0;
        endIndex = Math.max(got, 0);
        return got;
    }

    @Override
    public void endTurn() {
        if (readIndex < endIndex) {
            block.asSlice(readIndex, endIndex - readIndex).fill((byte) 0);
        }
        readIndex = 0;
        endIndex = 0;
        expected = 0;
    }

    private static int toFillResult(int filled) {
        if (filled > 0) {
            return filled;
        }
        return switch (filled) {
            case GetrandomSyscall.EFAULT -> TARGET_FAULT;
            // EAGAIN: the host has just booted, and the kernel's generator is not seeded yet.
            case GetrandomSyscall.EAGAIN -> WOULD_BLOCK;
            default -> {
                LOG.error("getrandom: {}; guests wait", GetrandomSyscall.describe(filled));
                yield FAILED;
            }
        };
    }

    /** The memory of the block, for tests. */
    MemorySegment block() {
        return block;
    }

    @Override
    public void close() {
        endTurn();
        arena.close();
        if (vdso != null) {
            vdso.close();
        }
    }
}
