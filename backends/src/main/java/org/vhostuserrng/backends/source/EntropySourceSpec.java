package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;

/**
 * A parsed {@code --source} expression. Immutable, except for state that must survive closing and reopening, such as a
 * file's position.
 */
public interface EntropySourceSpec {
    /**
     * Opens and closes the source to check that it is usable.
     *
     * @throws IOException with a short reason if it is not
     */
    void probe() throws IOException;

    /** How the source works on this host, for a report; empty if it works the same on all hosts. */
    default String hostDetails() {
        return "";
    }

    /** The sources of this expression that are opened once for all guests, in the order in which it names them. */
    default List<SharedSourceSpec> sharedSources() {
        return List.of();
    }

    /**
     * Opens the source for a guest's ring. Never fails: a source that cannot be opened returns
     * {@link EntropySource#FAILED} and retries.
     *
     * @param registry the registry of the event loop that serves the guest
     * @param guest name of the guest, for logs and for sources that keep state for each guest
     */
    EntropySource open(SourceRegistry registry, String guest);
}
