package org.vhostuserrng.backends.local;

import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.GetrandomSyscall;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

/**
 * {@code getrandom}: the kernel's generator without a file, by the function that the kernel lends each process or, where it
 * has none, by the system call. Read by those who serve.
 */
public final class GetrandomSourceSpec implements SharedSourceSpec {
    public static final String NAME = "getrandom";

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSourceSpec.class);

    @Override
    public String toString() {
        return NAME;
    }

    @Override
    public void check() {
        // Every kernel since Linux 3.17 has it, and the libraries that need it do not load without.
    }

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onBytes) {
        return VdsoGetrandom.open().<EntropySource>map(ByFunction::new).orElseGet(BySystemCall::new);
    }

    record ByFunction(VdsoGetrandom random) implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            return outcome(random.fill(target, offset, length));
        }

        @Override
        public void close() {
            random.close();
        }
    }

    record BySystemCall() implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            return outcome(GetrandomSyscall.fill(target, offset, length));
        }

        @Override
        public void close() {
            // There is nothing to let go of.
        }
    }

    private static int outcome(int filled) {
        if (filled > 0) {
            return filled;
        }
        return switch (filled) {
            case GetrandomSyscall.EFAULT -> EntropySource.TARGET_GONE;
            // The host has just booted, and the kernel has no seed yet.
            case GetrandomSyscall.EAGAIN -> EntropySource.NOT_NOW;
            default -> {
                LOG.error("getrandom: {}; guests wait", GetrandomSyscall.describe(filled));
                yield EntropySource.FAILED;
            }
        };
    }
}
