package org.vhostuserrng.backends.source;

/**
 * State of the sources of a failover list, shared by the guests of an event loop, so that only the first guest waits
 * for a stalled source. Confined to the loop's thread.
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

    /** Index of the source that served last. */
    int activeIndex() {
        return activeIndex;
    }

    /** Makes a source the active one. Returns whether another one was active before. */
    boolean switchTo(int index) {
        boolean changes = activeIndex != index;
        activeIndex = index;
        return changes;
    }

    /** Whether the source kept a guest waiting past the timeout and has not served since. */
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
