package org.vhostuserrng.backends;

/** {@code egd:tcp:HOST:PORT} or {@code egd:unix:PATH}: a server that speaks EGD's protocol. */
final class EgdSpec extends RawSpec {
    static final String PREFIX = "egd:";
    /** Nothing is known of what it serves: finds a server that is stuck or repeats itself. */
    private static final double ASSUMED_MIN_ENTROPY = 0.25;

    private final EgdAddress address;

    private EgdSpec(EgdAddress address, RawOptions options) {
        super(options);
        this.address = address;
    }

    /** @param address what follows {@link #PREFIX} */
    static EgdSpec of(String address, RawOptions options) {
        return new EgdSpec(EgdAddress.parse(address), options);
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
    RawSource openRaw() {
        return new EgdReader(address, EgdReader.Patience.DEFAULT);
    }
}
