package org.vhostuserrng.device.rng;

/** Runs {@link RingDifferentialFuzzer} with split virtqueues. */
public final class SplitRingFuzzTarget {
    private SplitRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(false, input);
    }
}
