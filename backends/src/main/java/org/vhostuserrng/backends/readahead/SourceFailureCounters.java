package org.vhostuserrng.backends.readahead;

import java.util.concurrent.atomic.AtomicLong;
import org.vhostuserrng.backends.source.SourceFailureCounts;

/** Counts the errors of a source. The counts are kept when the source is closed and opened again. Any thread. */
final class SourceFailureCounters {
    private final AtomicLong readFailures = new AtomicLong();
    private final AtomicLong healthTestFailures = new AtomicLong();
    private final AtomicLong endOfFiles = new AtomicLong();

    void incrementReadFailures() {
        readFailures.incrementAndGet();
    }

    void incrementHealthTestFailures() {
        healthTestFailures.incrementAndGet();
    }

    void incrementEndOfFiles() {
        endOfFiles.incrementAndGet();
    }

    SourceFailureCounts counts() {
        return new SourceFailureCounts(readFailures.get(), healthTestFailures.get(), endOfFiles.get());
    }

    /** Describes the counts for a log line; empty if there were no errors. */
    @Override
    public String toString() {
        return readFailures.get() + healthTestFailures.get() + endOfFiles.get() == 0
                ? ""
                : "read failures: " + readFailures + ", health test failures: " + healthTestFailures
                        + ", ends of file: " + endOfFiles;
    }
}
