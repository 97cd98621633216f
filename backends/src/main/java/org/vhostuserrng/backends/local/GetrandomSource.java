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
 * getrandom(2). Small requests of one turn get their bytes from one call: each byte is wiped as it is handed out, and
 * the rest when the turn ends. The system call fills large requests in guest memory; the vDSO function, which faults on
 * unmapped memory, fills a block that is copied and wiped. Never blocks. Confined to the event loop's thread.
 */
final class GetrandomSource implements EntropySource {
    /** The bytes of four pages or 256 small requests, few enough to stay in the L1 data cache until they are copied. */
    static final int BLOCK_BYTES = 16 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSource.class);

    private final GetrandomPathTable paths;
    /** Null if the table does not use it. */
    private final VdsoGetrandom vdso;

    private final Arena arena = Arena.ofConfined();
    /** Bytes of this turn from {@link #readIndex} to {@link #endIndex}; zero elsewhere. */
    private final MemorySegment block = arena.allocate(BLOCK_BYTES, Long.BYTES);

    private int readIndex;
    private int endIndex;
    /** Estimate of the bytes that the guest still asks for in this turn. */
    private int expected;

    /**
     * Takes ownership of {@code vdso}.
     *
     * @param vdso null if {@code paths} does not use it
     */
    GetrandomSource(GetrandomPathTable paths, VdsoGetrandom vdso) {
        this.paths = paths;
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
            if (batch <= length && paths.pathFor(length) == GetrandomPath.SYSCALL) {
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
        int got = paths.pathFor(length) == GetrandomPath.VDSO
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
            // The host has just booted and the CRNG is not seeded yet.
            case GetrandomSyscall.EAGAIN -> WOULD_BLOCK;
            default -> {
                LOG.error("getrandom: {}; guests wait", GetrandomSyscall.describe(filled));
                yield FAILED;
            }
        };
    }

    /** The block, for tests. */
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
