package org.vhostuserrng.device.rng;

/** A packed virtqueue in memory of arbitrary content: {@link RingDifferentialFuzzer}. */
public final class PackedRingFuzzTarget {
    private PackedRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(true, input);
    }
}
