package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;

/**
 * A source as {@code --source} names it: an expression, understood. Immutable but for what must not be given out again,
 * which it remembers over all the times it is open.
 */
public interface EntropySourceSpec {
    /** The first of {@code inOrder} that serves; one that serves again is returned to. */
    static EntropySourceSpec firstOf(List<EntropySourceSpec> inOrder) {
        return inOrder.size() == 1 ? inOrder.getFirst() : new FailoverSourceSpec(inOrder);
    }

    /**
     * Tries whether the source can be used, leaving nothing open.
     *
     * @throws IOException with the reason, in a few words
     */
    void check() throws IOException;

    /**
     * What a guest's ring uses from its start to its stop. Never fails: a source that cannot be opened now says so when
     * it is asked for bytes, and is tried again.
     *
     * @param sources those of the loop that serves the guest
     * @param guest who it is, for sources that keep guests apart and for logs
     */
    EntropySource open(EventLoopSources sources, String guest);
}
