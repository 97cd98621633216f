package org.vhostuserrng.backends.source;

import java.io.IOException;

/** A source that all the guests of a loop share: open while one of them uses it, whatever the expressions it is in. */
public interface SharedSourceSpec extends EntropySourceSpec {
    /**
     * Opens the source itself.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     */
    EntropySource open(Runnable onBytes) throws IOException;

    /** What went wrong with the source so far, in a few words for a log; empty if nothing did. Any thread. */
    default String statistics() {
        return "";
    }

    /** H of SP 800-90B §3.1.3, as stated or assumed: bits of min-entropy of a byte, above 0 and at most 8. */
    double minEntropy();

    /** Two sources that have the same one are the same, and are opened once. */
    default String identity() {
        return toString();
    }

    @Override
    default EntropySource open(EventLoopSources sources, String guest) {
        return sources.share(this);
    }
}
