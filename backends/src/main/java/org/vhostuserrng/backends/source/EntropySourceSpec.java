package org.vhostuserrng.backends.source;

import java.io.IOException;

/**
 * A parsed {@code --source} expression. Immutable, except for state that must be kept when the source is closed and
 * opened again.
 */
public interface EntropySourceSpec {
    /**
     * Opens and closes the source to check that it is usable.
     *
     * @throws IOException if the source is not usable, with a short reason
     */
    void probe() throws IOException;

    /** Describes for a report how the source works on this host; empty if it works in the same way on all hosts. */
    default String hostDetails() {
        return "";
    }

    /**
     * Opens the source for a guest's ring. Never fails: a source that cannot be opened returns
     * {@link EntropySource#FAILED} and retries.
     *
     * @param registry the registry of the event loop that serves the guest
     * @param guest the guest's name, for log lines and for sources that have state for each guest
     */
    EntropySource open(SourceRegistry registry, String guest);
}
