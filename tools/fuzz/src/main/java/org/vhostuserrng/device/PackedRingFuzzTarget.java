package org.vhostuserrng.device;

/** A packed virtqueue in a memory whose every byte is the fuzzer's: {@link RingRun} tells how. */
public final class PackedRingFuzzTarget {
    private PackedRingFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        RingRun.run(true, input);
    }
}
