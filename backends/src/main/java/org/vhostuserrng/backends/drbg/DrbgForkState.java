package org.vhostuserrng.backends.drbg;

import org.vhostuserrng.backends.source.VmForkDetector;

/**
 * What a DRBG still has to do because the virtual machine was forked, or may have been. Confined to the event loop's
 * thread.
 */
final class DrbgForkState {
    /** Result of {@link #poll}. */
    enum Sign {
        NONE,
        /** The kernel has reseeded its generator: regularly, or because of a fork. */
        KERNEL_RESEED,
        FORK
    }

    private final VmForkDetector detector;
    private int seenForks;
    private int seenKernelReseeds;
    private boolean reseedRequired;
    private boolean additionalInputDue;

    DrbgForkState(VmForkDetector detector) {
        this.detector = detector;
        this.seenForks = detector.forks();
        this.seenKernelReseeds = detector.kernelReseeds();
    }

    /**
     * Looks for forks; must precede each turn, and each request outside one. After any sign, output generated ahead
     * must not be used.
     *
     * @param seeded whether the DRBG has a state that a fork duplicates
     */
    Sign poll(boolean seeded) {
        detector.poll();
        boolean forked = detector.forks() != seenForks;
        boolean kernelReseeded = detector.kernelReseeds() != seenKernelReseeds;
        seenForks = detector.forks();
        seenKernelReseeds = detector.kernelReseeds();
        reseedRequired |= forked && seeded;
        additionalInputDue |= kernelReseeded && seeded;
        if (forked) {
            return Sign.FORK;
        }
        return kernelReseeded ? Sign.KERNEL_RESEED : Sign.NONE;
    }

    /** Whether the DRBG must not generate before it is reseeded. */
    boolean isReseedRequired() {
        return reseedRequired;
    }

    void reseeded() {
        reseedRequired = false;
    }

    /** Whether the next request needs kernel output as additional input. True once. */
    boolean takeAdditionalInputDue() {
        boolean due = additionalInputDue;
        additionalInputDue = false;
        return due;
    }
}
