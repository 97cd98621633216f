package org.vhostuserrng.backends.local;

import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.GetrandomSyscall;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

/**
 * {@code getrandom}: the kernel's generator, called through the vDSO function of Linux 6.11 or, on older kernels, by
 * system call. Never blocks; called on the event loop.
 */
public final class GetrandomSourceSpec implements SharedSourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "getrandom";

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSourceSpec.class);

    @Override
    public String toString() {
        return NAME;
    }

    @Override
    public void probe() {
        // Linux has getrandom(2) since 3.17; older kernels cannot run this JVM.
    }

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onReadable) {
        return VdsoGetrandom.open().<EntropySource>map(VdsoGetrandomSource::new).orElseGet(SyscallGetrandomSource::new);
    }

    record VdsoGetrandomSource(VdsoGetrandom random) implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            return toFillResult(random.fill(target, offset, length));
        }

        @Override
        public void close() {
            random.close();
        }
    }

    record SyscallGetrandomSource() implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            return toFillResult(GetrandomSyscall.fill(target, offset, length));
        }

        @Override
        public void close() {
            // No resources.
        }
    }

    private static int toFillResult(int filled) {
        if (filled > 0) {
            return filled;
        }
        return switch (filled) {
            case GetrandomSyscall.EFAULT -> EntropySource.TARGET_FAULT;
            // The host has just booted and the CRNG is not seeded yet.
            case GetrandomSyscall.EAGAIN -> EntropySource.WOULD_BLOCK;
            default -> {
                LOG.error("getrandom: {}; guests wait", GetrandomSyscall.describe(filled));
                yield EntropySource.FAILED;
            }
        };
    }
}
