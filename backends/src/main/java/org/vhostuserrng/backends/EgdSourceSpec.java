package org.vhostuserrng.backends;

/** {@code egd:tcp:HOST:PORT} or {@code egd:unix:PATH}: a server that speaks EGD's protocol. */
final class EgdSourceSpec extends ReadAheadSourceSpec {
    static final String PREFIX = "egd:";
    /** Nothing is known of what it serves: finds a server that is stuck or repeats itself. */
    private static final double ASSUMED_MIN_ENTROPY = 0.25;

    private final EgdServerAddress address;

    private EgdSourceSpec(EgdServerAddress address, NoiseSourceOptions options) {
        super(options);
        this.address = address;
    }

    /** @param address what follows {@link #PREFIX} */
    static EgdSourceSpec of(String address, NoiseSourceOptions options) {
        return new EgdSourceSpec(EgdServerAddress.parse(address), options);
    }

    @Override
    public String toString() {
        return PREFIX + address;
    }

    /** Nothing to try: the server may be started later, and may be restarted at any time. */
    @Override
    public void check() {
        // EgdAddress.parse has seen all that can be known now.
    }

    @Override
    double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    @Override
    BlockingEntropySource openRaw() {
        return new EgdClientSource(address, EgdClientSource.Patience.DEFAULT);
    }
}
