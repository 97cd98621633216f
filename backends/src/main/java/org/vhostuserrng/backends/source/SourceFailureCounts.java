package org.vhostuserrng.backends.source;

/**
 * The counts of errors of sources since this process started.
 *
 * @param readFailures number of failed reads, including failed attempts to open the source again
 * @param healthTestFailures number of failures of the health tests
 * @param endOfFiles number of times that a source was at its end
 */
public record SourceFailureCounts(long readFailures, long healthTestFailures, long endOfFiles) {
    /** The counts of a source without errors. */
    public static final SourceFailureCounts NONE = new SourceFailureCounts(0, 0, 0);

    SourceFailureCounts plus(SourceFailureCounts other) {
        return new SourceFailureCounts(
                readFailures + other.readFailures,
                healthTestFailures + other.healthTestFailures,
                endOfFiles + other.endOfFiles);
    }
}
