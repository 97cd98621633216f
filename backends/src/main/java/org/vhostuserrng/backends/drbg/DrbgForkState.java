package org.vhostuserrng.backends.drbg;

import org.vhostuserrng.backends.source.VmForkDetector;

/**
 * Records what a DRBG must do after the virtual machine was forked, or may have been forked. Confined to the event
 * loop's thread.
 */
final class DrbgForkState {
    /** Result of {@link #poll}. */
    enum Sign {
        NONE,
        /** The kernel has reseeded its generator, either at the regular interval or because of a fork. */
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
     * Checks for signs of a fork. Must be called at the start of each turn, and before each request outside a turn.
     * After any sign, output that was generated before must not be used.
     *
     * @param seeded whether the DRBG is seeded, so that a fork has duplicated its state
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

    /** Returns whether the DRBG must be reseeded before it generates output. */
    boolean isReseedRequired() {
        return reseedRequired;
    }

    void reseeded() {
        reseedRequired = false;
    }

    /** Returns whether the next request needs kernel output as additional input. Returns true only once per sign. */
    boolean takeAdditionalInputDue() {
        boolean due = additionalInputDue;
        additionalInputDue = false;
        return due;
    }
}
