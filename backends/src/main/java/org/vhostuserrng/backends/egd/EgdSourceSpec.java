package org.vhostuserrng.backends.egd;

import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;

/** {@code egd:tcp:HOST:PORT} or {@code egd:unix:PATH}: a server that speaks EGD's protocol. */
public final class EgdSourceSpec extends ReadAheadSourceSpec {
    public static final String PREFIX = "egd:";
    /** Nothing is known of what it serves: finds a server that is stuck or repeats itself. */
    private static final double ASSUMED_MIN_ENTROPY = 0.25;

    private final EgdServerAddress address;

    private EgdSourceSpec(EgdServerAddress address, NoiseSourceOptions options) {
        super(options);
        this.address = address;
    }

    /** Parses the part of an expression after {@link #PREFIX}. */
    public static EgdSourceSpec of(String address, NoiseSourceOptions options) {
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
    protected double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    @Override
    protected BlockingEntropySource openRaw() {
        return new EgdClientSource(address, EgdClientSource.Patience.DEFAULT);
    }
}
