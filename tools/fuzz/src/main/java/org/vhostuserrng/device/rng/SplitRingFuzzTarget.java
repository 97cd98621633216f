package org.vhostuserrng.device.rng;

/** A split virtqueue in a memory whose every byte is the fuzzer's: {@link RingDifferentialFuzzer} tells how. */
public final class SplitRingFuzzTarget {
    private SplitRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(false, input);
    }
}
