package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;

/** A source that is opened once for all guests of an event loop, even if several expressions contain it. */
public interface SharedSourceSpec extends EntropySourceSpec {
    /**
     * Opens the source itself.
     *
     * @param onReadable called by any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @throws IOException with a short reason
     */
    EntropySource open(Runnable onReadable) throws IOException;

    /**
     * Waits until a source that {@link #open} returned, and that is closed, has released its files, devices and child
     * processes. Returns false if it has not after {@code nanos}.
     */
    default boolean awaitClosed(long nanos) {
        return true;
    }

    /** Counts of errors. Any thread. */
    default SourceFailureCounts failures() {
        return SourceFailureCounts.NONE;
    }

    /** Counts of errors, for a log line; empty if there were none. Any thread. */
    default String statistics() {
        return "";
    }

    /** H of SP 800-90B §3.1.3, stated or default: bits of min-entropy per byte, above 0 and at most 8. */
    double minEntropy();

    /** Sources with equal keys are the same source and are opened once. */
    default String deduplicationKey() {
        return toString();
    }

    @Override
    default List<SharedSourceSpec> sharedSources() {
        return List.of(this);
    }

    @Override
    default EntropySource open(SourceRegistry registry, String guest) {
        return registry.openShared(this);
    }
}
