package org.vhostuserrng.backends.local;

import java.io.IOException;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.sys.RdrandRdseed;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;
import org.vhostuserrng.backends.sys.SrbdsMitigation;

/** The sources {@code rdrand} and {@code rdseed}: the processor's generator. */
public final class CpuRngSourceSpec extends ReadAheadSourceSpec {
    /**
     * The default min-entropy in bits per byte: lower than Intel and AMD specify, but sufficient to detect the known
     * failures. A higher value would cause false positives: at H = 4, the cutoff would be so low that RDRAND at full
     * speed would reach it by chance once an hour.
     */
    private static final double DEFAULT_MIN_ENTROPY = 3;

    private final Instruction instruction;
    private final boolean reseedForced;

    /**
     * Creates a source that executes {@code instruction}.
     *
     * @param reseedForced whether RDRAND must use a fresh seed for every 128 bits
     */
    public CpuRngSourceSpec(Instruction instruction, boolean reseedForced, NoiseSourceOptions options) {
        super(options);
        this.instruction = instruction;
        this.reseedForced = reseedForced;
    }

    @Override
    public String toString() {
        return reseedForced ? instruction + ",reseed=forced" : instruction.toString();
    }

    @Override
    public void probe() throws IOException {
        super.probe();
        RdrandRdseed.load(instruction);
    }

    @Override
    protected double defaultMinEntropy() {
        return DEFAULT_MIN_ENTROPY;
    }

    @Override
    protected BlockingEntropySource openBlocking() throws IOException {
        RdrandRdseed loaded = RdrandRdseed.load(instruction);
        String warning = SrbdsMitigation.warning();
        if (warning != null) {
            warnOnce(warning);
        }
        return new CpuRngSource(loaded::fill, instruction, reseedForced);
    }
}
