package org.vhostuserrng.device;

/** A split virtqueue in a memory whose every byte is the fuzzer's: {@link RingRun} tells how. */
public final class SplitRingFuzzTarget {
    private SplitRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingRun.run(false, input);
    }
}
