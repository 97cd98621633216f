package org.vhostuserrng.backends.local;

import java.io.IOException;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.sys.RdrandRdseed;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/** {@code rdrand} and {@code rdseed}: the processor's own generator, read ahead so that nobody hammers it. */
public final class CpuRngSourceSpec extends ReadAheadSourceSpec {
    /**
     * Intel's and AMD's claims are higher; this finds what goes wrong in the field. With more the tests' false alarms
     * would be felt: at H = 4 six equal bytes are one, which come by chance once in an hour of RDRAND at full speed.
     */
    private static final double ASSUMED_MIN_ENTROPY = 3;

    private final Instruction instruction;
    private final boolean reseedForced;

    /**
     * An instruction as a source.
     *
     * @param reseedForced of RDRAND: each 128 bits are of a seed of their own
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
    public void check() throws IOException {
        RdrandRdseed.load(instruction);
    }

    @Override
    protected double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    @Override
    protected BlockingEntropySource openRaw() throws IOException {
        RdrandRdseed loaded = RdrandRdseed.load(instruction);
        String harm = RdrandRdseed.harm();
        if (harm != null) {
            warnOnce(harm);
        }
        return new CpuRngSource(loaded::fill, instruction, reseedForced);
    }
}
