package org.vhostuserrng.cli.checksource;

/**
 * What {@code check-source} has read from a source.
 *
 * @param first the first samples, one a byte, for the estimators
 * @param statistics statistics of all bytes
 * @param bytesPerSecond throughput of the source
 * @param fault the failed health test, or the reason why there were too few bytes; empty if there was none
 */
record CollectedSamples(byte[] first, ByteStatistics statistics, double bytesPerSecond, String fault) {
    /** Bits of a sample: up to the highest bit that any sample of {@link #first} has set, at least 1. */
    int width() {
        return width(first);
    }

    /** Bits of a sample: up to the highest bit that any of the samples has set, at least 1. */
    static int width(byte[] samples) {
        int used = 1;
        for (byte sample : samples) {
            used |= sample & 0xff;
        }
        return Integer.SIZE - Integer.numberOfLeadingZeros(used);
    }
}
