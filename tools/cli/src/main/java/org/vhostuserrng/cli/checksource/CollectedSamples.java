package org.vhostuserrng.cli.checksource;

/** What {@code check-source} has read from a source. */
final class CollectedSamples {
    private final byte[] first;
    private final ByteStatistics statistics;
    private final double bytesPerSecond;
    private final String fault;

    /**
     * The result of reading a source.
     *
     * @param first the first samples, one a byte, for the estimators
     * @param statistics statistics of all bytes
     * @param bytesPerSecond throughput of the source
     * @param fault the failed health test, or the reason why there were too few bytes; empty if there was none
     */
    CollectedSamples(byte[] first, ByteStatistics statistics, double bytesPerSecond, String fault) {
        this.first = first;
        this.statistics = statistics;
        this.bytesPerSecond = bytesPerSecond;
        this.fault = fault;
    }

    /** The first samples, one a byte; not a copy, and not to be changed. */
    byte[] first() {
        return first;
    }

    /** Statistics of all bytes. */
    ByteStatistics statistics() {
        return statistics;
    }

    double bytesPerSecond() {
        return bytesPerSecond;
    }

    /** The failed health test, or the reason why there were too few bytes; empty if there was none. */
    String fault() {
        return fault;
    }

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
