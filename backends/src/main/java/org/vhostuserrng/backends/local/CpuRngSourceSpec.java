package org.vhostuserrng.backends.local;

import java.io.IOException;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.sys.RdrandRdseed;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;
import org.vhostuserrng.backends.sys.SrbdsMitigation;

/** {@code rdrand} and {@code rdseed}: the processor's generator. The read-ahead pool limits how often it is used. */
public final class CpuRngSourceSpec extends ReadAheadSourceSpec {
    /**
     * Lower than Intel and AMD claim, but sufficient to detect the failures seen in the field. A higher value would
     * cause false positives: at H = 4, six equal bytes in a row fail, which RDRAND at full speed produces by chance
     * once an hour.
     */
    private static final double DEFAULT_MIN_ENTROPY = 3;

    private final Instruction instruction;
    private final boolean reseedForced;

    /**
     * A source that executes {@code instruction}.
     *
     * @param reseedForced for RDRAND: a fresh seed for every 128 bits
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
