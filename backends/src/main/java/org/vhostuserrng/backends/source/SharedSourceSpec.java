package org.vhostuserrng.backends.source;

import java.io.IOException;

/** A source that is opened only once for all guests of an event loop, even if several expressions contain it. */
public interface SharedSourceSpec extends EntropySourceSpec {
    /**
     * Opens the source, for all guests.
     *
     * @param onReadable called on any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @throws IOException if the source cannot be opened, with a short reason
     */
    EntropySource open(Runnable onReadable) throws IOException;

    /**
     * Waits until the closed source has released its files, devices and child processes. Returns false if this takes
     * longer than {@code nanos}.
     */
    default boolean awaitClosed(long nanos) {
        return true;
    }

    /** The counts of errors. Any thread. */
    default SourceFailureCounts failures() {
        return SourceFailureCounts.NONE;
    }

    /** Describes the counts of errors for a log line; empty if there were no errors. Any thread. */
    default String statistics() {
        return "";
    }

    /** The stated or default min-entropy in bits per byte (H of SP 800-90B §3.1.3), above 0 and at most 8. */
    double minEntropy();

    /** The key by which expressions of the same source are recognized: sources with equal keys are opened only once. */
    default String deduplicationKey() {
        return toString();
    }

    @Override
    default EntropySource open(SourceRegistry registry, String guest) {
        return registry.openShared(this);
    }
}
