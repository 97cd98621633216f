package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.health.SeenSequenceHashes;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions.HealthTests;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceFailureCounts;
import org.vhostuserrng.backends.sys.GetrandomSyscall;

/** A source that has its own read-ahead thread and health tests. Confined to the event loop's thread. */
public abstract class ReadAheadSourceSpec implements SharedSourceSpec {
    private static final Logger LOG = LoggerFactory.getLogger(ReadAheadSourceSpec.class);

    private final NoiseSourceOptions options;
    private final SourceFailureCounters counters = new SourceFailureCounters();
    private final Set<String> warnings = new HashSet<>();
    /** The sequences that the source has produced; null before the source is opened for the first time. */
    private SeenSequenceHashes seenSequences;

    /** Reaches 0 when the last opened source has been closed. */
    private CountDownLatch lastClosed = new CountDownLatch(0);

    /** Creates a source with the options of its expression. */
    protected ReadAheadSourceSpec(NoiseSourceOptions options) {
        this.options = options;
    }

    /** The min-entropy in bits per byte (H of SP 800-90B §3.1.3) if the expression states none. */
    protected abstract double defaultMinEntropy();

    /** Opens the source, which is then confined to the read-ahead thread. */
    protected abstract BlockingEntropySource openBlocking() throws IOException;

    /** The options of the expression. */
    protected NoiseSourceOptions options() {
        return options;
    }

    @Override
    public String deduplicationKey() {
        return this + " " + options;
    }

    @Override
    public double minEntropy() {
        return options.minEntropyOrDefault(defaultMinEntropy());
    }

    /** {@inheritDoc} Loads the classes that an open source needs, see {@link ReadAheadRehearsal}. */
    @Override
    public void probe() throws IOException {
        LOG.debug("{}: rehearsing", deduplicationKey());
        ReadAheadRehearsal.run(options.healthTests() == HealthTests.ON ? newHealthTester(defaultMinEntropy()) : null);
    }

    @Override
    public EntropySource open(Runnable onReadable) throws IOException {
        return readAhead(openBlocking(), newHealthTester(defaultMinEntropy()), onReadable);
    }

    /**
     * Creates the health tests for the stated min-entropy, or for {@code defaultValue} if none is stated. Returns null
     * if the source does not run health tests.
     */
    protected final NoiseHealthTester newHealthTester(double defaultValue) throws IOException {
        if (options.healthTests() == HealthTests.OFF) {
            warnOnce("health=off: its output is not tested");
        }
        if (options.healthTests() != HealthTests.ON) {
            return null;
        }
        if (seenSequences == null) {
            // Not by SecureRandom, which would keep /dev/random and /dev/urandom open.
            seenSequences = new SeenSequenceHashes(GetrandomSyscall.randomLongs(SeenSequenceHashes.KEY_COUNT));
        }
        return new NoiseHealthTester(options.minEntropyOrDefault(defaultValue), seenSequences);
    }

    /** Logs a warning about this source, but only once, even if the source is opened several times. */
    protected final void warnOnce(String warning) {
        if (warnings.add(warning)) {
            LOG.warn("{}: {}", this, warning);
        }
    }

    /**
     * Starts a read-ahead thread.
     *
     * @param health the health tests; null for a source that is not tested
     */
    protected final EntropySource readAhead(BlockingEntropySource source, NoiseHealthTester health, Runnable onReadable)
            throws IOException {
        ReadAheadSource opened = new ReadAheadSource(toString(), source, health, counters, onReadable, lastClosed);
        lastClosed = opened.closed();
        return opened;
    }

    @Override
    public boolean awaitClosed(long nanos) {
        try {
            return lastClosed.await(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public SourceFailureCounts failures() {
        return counters.counts();
    }

    @Override
    public String statistics() {
        return counters.toString();
    }
}
