package org.vhostuserrng.backends.source;

/**
 * Counts of errors of sources since this process started.
 *
 * @param readFailures failed reads and openings
 * @param healthTestFailures failures of the SP 800-90B health tests
 * @param endOfFiles ends of a file, a device or a program
 */
public record SourceFailureCounts(long readFailures, long healthTestFailures, long endOfFiles) {
    /** No errors. */
    public static final SourceFailureCounts NONE = new SourceFailureCounts(0, 0, 0);

    SourceFailureCounts plus(SourceFailureCounts other) {
        return new SourceFailureCounts(
                readFailures + other.readFailures,
                healthTestFailures + other.healthTestFailures,
                endOfFiles + other.endOfFiles);
    }
}
