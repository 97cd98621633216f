package org.vhostuserrng.device.rng;

/** A split virtqueue in memory of arbitrary content: {@link RingDifferentialFuzzer}. */
public final class SplitRingFuzzTarget {
    private SplitRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(false, input);
    }
}
