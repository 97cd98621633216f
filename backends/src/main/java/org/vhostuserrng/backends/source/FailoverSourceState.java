package org.vhostuserrng.backends.source;

/**
 * The state of the sources of a failover list, which all guests of an event loop share, so that only the first guest
 * waits for a stalled source. Confined to the loop's thread.
 */
final class FailoverSourceState {
    private final FailoverSourceSpec spec;
    private final boolean[] stalled;
    private int activeIndex;

    /** Creates a state in which the first source is active. */
    FailoverSourceState(FailoverSourceSpec spec) {
        this.spec = spec;
        this.stalled = new boolean[spec.sources().size()];
    }

    /** The index of the source that served last. */
    int activeIndex() {
        return activeIndex;
    }

    /** Sets the index of the source that served last. Returns whether it has changed. */
    boolean switchTo(int index) {
        boolean changes = activeIndex != index;
        activeIndex = index;
        return changes;
    }

    /**
     * Returns whether a guest has waited for the source longer than the timeout, and the source has not served since.
     */
    boolean isStalled(int index) {
        return stalled[index];
    }

    void setStalled(int index, boolean isStalled) {
        stalled[index] = isStalled;
    }

    EntropySourceSpec source(int index) {
        return spec.sources().get(index);
    }
}
