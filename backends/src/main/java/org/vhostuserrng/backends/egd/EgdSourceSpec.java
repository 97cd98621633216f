package org.vhostuserrng.backends.egd;

import java.io.IOException;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;

/** The source {@code egd:tcp:HOST:PORT} or {@code egd:unix:PATH}: a server of the EGD protocol. */
public final class EgdSourceSpec extends ReadAheadSourceSpec {
    /** The keyword in an expression. */
    public static final String PREFIX = "egd:";

    /**
     * The default min-entropy in bits per byte. It is low, because the origin of the bytes is unknown, but the health
     * tests still detect a server that is stuck or repeats itself.
     */
    private static final double DEFAULT_MIN_ENTROPY = 0.25;

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

    /** {@inheritDoc} Does not connect, because the server may be started later, or restarted at any time. */
    @Override
    public void probe() throws IOException {
        super.probe();
        openBlocking().close();
    }

    @Override
    protected double defaultMinEntropy() {
        return DEFAULT_MIN_ENTROPY;
    }

    @Override
    protected BlockingEntropySource openBlocking() {
        return new EgdClientSource(address, EgdClientSource.EgdTimeouts.DEFAULT);
    }
}
