package org.vhostuserrng.cli.checksource;

/** The samples that {@code check-source} has read from a source. */
final class CollectedSamples {
    private final byte[] first;
    private final ByteStatistics statistics;
    private final double bytesPerSecond;
    private final String fault;

    /**
     * Creates the result of reading a source.
     *
     * @param first the first samples, one per byte, for the estimators
     * @param statistics statistics of all bytes
     * @param bytesPerSecond throughput of the source
     * @param fault the failed health test, or the reason why there were too few bytes; empty if there is no fault
     */
    CollectedSamples(byte[] first, ByteStatistics statistics, double bytesPerSecond, String fault) {
        this.first = first;
        this.statistics = statistics;
        this.bytesPerSecond = bytesPerSecond;
        this.fault = fault;
    }

    /** The first samples, one per byte. The array is not a copy and must not be changed. */
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

    /** The failed health test, or the reason why there were too few bytes; empty if there is no fault. */
    String fault() {
        return fault;
    }

    /** Width of a sample in bits, at least 1: the highest bit that is set in any sample of {@link #first}. */
    int width() {
        return width(first);
    }

    /** Returns the width of a sample in bits, at least 1: the highest bit that is set in any of the samples. */
    static int width(byte[] samples) {
        int used = 1;
        for (byte sample : samples) {
            used |= sample & 0xff;
        }
        return Integer.SIZE - Integer.numberOfLeadingZeros(used);
    }
}
