package org.vhostuserrng.device.rng;

/** Runs {@link RingDifferentialFuzzer} with packed virtqueues. */
public final class PackedRingFuzzTarget {
    private PackedRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(true, input);
    }
}
