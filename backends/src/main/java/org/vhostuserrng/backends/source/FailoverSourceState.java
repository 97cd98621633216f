package org.vhostuserrng.backends.source;

/**
 * What one guest has found out about several sources in order, for the next guest not to find out by waiting. Confined to
 * the loop's thread.
 */
final class FailoverSourceState {
    private final FailoverSourceSpec spec;
    private final boolean[] stalled;
    private int serving;

    /** The first source serves, until the contrary is known. */
    FailoverSourceState(FailoverSourceSpec spec) {
        this.spec = spec;
        this.stalled = new boolean[spec.inOrder().size()];
    }

    /** The place of the source that served last. */
    int serving() {
        return serving;
    }

    /** Whether that is another source than before. */
    boolean changeTo(int place) {
        boolean changes = serving != place;
        serving = place;
        return changes;
    }

    /** Whether the last that was heard of a source is that it kept a guest waiting for too long. */
    boolean isStalled(int place) {
        return stalled[place];
    }

    void setStalled(int place, boolean isStalled) {
        stalled[place] = isStalled;
    }

    EntropySourceSpec source(int place) {
        return spec.inOrder().get(place);
    }
}
