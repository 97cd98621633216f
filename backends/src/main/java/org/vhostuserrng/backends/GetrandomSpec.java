package org.vhostuserrng.backends;

import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.KernelRandom;
import org.vhostuserrng.backends.sys.VdsoRandom;

/**
 * {@code getrandom}: the kernel's generator without a file, by the function that the kernel lends each process or, where it
 * has none, by the system call. Read by those who serve.
 */
final class GetrandomSpec implements SharedSpec {
    static final String NAME = "getrandom";

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSpec.class);

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
        return VdsoRandom.open().<EntropySource>map(ByFunction::new).orElseGet(BySystemCall::new);
    }

    record ByFunction(VdsoRandom random) implements EntropySource {
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
            return outcome(KernelRandom.fill(target, offset, length));
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
            case KernelRandom.EFAULT -> EntropySource.TARGET_GONE;
            // The host has just booted, and the kernel has no seed yet.
            case KernelRandom.EAGAIN -> EntropySource.NOT_NOW;
            default -> {
                LOG.error("getrandom: {}; guests wait", KernelRandom.describe(filled));
                yield EntropySource.FAILED;
            }
        };
    }
}
