package org.vhostuserrng.device.rng;

/** A packed virtqueue in a memory whose every byte is the fuzzer's: {@link RingDifferentialFuzzer} tells how. */
public final class PackedRingFuzzTarget {
    private PackedRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingDifferentialFuzzer.run(true, input);
    }
}
