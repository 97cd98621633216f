package org.vhostuserrng.backends;

import java.io.IOException;
import org.vhostuserrng.backends.sys.CpuRandom;
import org.vhostuserrng.backends.sys.CpuRandom.Instruction;

/** {@code rdrand} and {@code rdseed}: the processor's own generator, read ahead so that nobody hammers it. */
final class CpuSpec extends RawSpec {
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
    CpuSpec(Instruction instruction, boolean reseedForced, RawOptions options) {
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
        CpuRandom.load(instruction);
    }

    @Override
    double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    @Override
    RawSource openRaw() throws IOException {
        CpuRandom loaded = CpuRandom.load(instruction);
        String harm = CpuRandom.harm();
        if (harm != null) {
            warnOnce(harm);
        }
        return new CpuReader(loaded::fill, instruction, reseedForced);
    }
}
