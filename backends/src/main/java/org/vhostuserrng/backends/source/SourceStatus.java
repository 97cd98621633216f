package org.vhostuserrng.backends.source;

/**
 * The status of a source at one moment.
 *
 * @param name its expression, without options
 * @param users the number of users that have it open: guests, and the components of their sources
 * @param failures counts of errors
 */
public record SourceStatus(String name, State state, int users, SourceFailureCounts failures) {
    /** State of a source. */
    public enum State {
        /** No guest uses it. */
        UNUSED,
        /** It served the last request, or has not been asked yet. */
        SERVES,
        /** It has no bytes at the moment. */
        EMPTY,
        /** It has had no bytes for some seconds although it was asked for them. */
        SILENT,
        /** It cannot be opened or read. */
        FAILED,
        /** It has failed a health test, and has not passed the start-up tests since. */
        FAILED_HEALTH_TESTS,
        /** {@link SourceRegistry#setQuarantined} keeps it from serving. */
        QUARANTINED;

        /** Whether the source serves nothing because of what is or may be wrong with its bytes. */
        public boolean isQuarantined() {
            return this == QUARANTINED || this == FAILED_HEALTH_TESTS;
        }

        /** Whether guests must do without the source. */
        public boolean isOutOfService() {
            return isQuarantined() || this == FAILED || this == SILENT;
        }
    }
}
