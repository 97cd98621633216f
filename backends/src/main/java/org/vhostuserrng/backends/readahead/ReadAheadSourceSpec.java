package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.health.SeenSequenceHashes;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.GetrandomSyscall;

/** A source that is read ahead, and tested, by a thread of its own. */
public abstract class ReadAheadSourceSpec implements SharedSourceSpec {
    private static final Logger LOG = LoggerFactory.getLogger(ReadAheadSourceSpec.class);

    private final NoiseSourceOptions options;
    private final SourceFailureCounters counters = new SourceFailureCounters();
    private final Set<String> warnings = new HashSet<>();
    /** Made when it is needed. */
    private SeenSequenceHashes memory;

    protected ReadAheadSourceSpec(NoiseSourceOptions options) {
        this.options = options;
    }

    /** What the tests assume unless the expression states it: bits of a byte. */
    protected abstract double assumedMinEntropy();

    /** Opens the source, to be read by another thread. */
    protected abstract BlockingEntropySource openRaw() throws IOException;

    protected NoiseSourceOptions options() {
        return options;
    }

    @Override
    public String identity() {
        return this + " " + options;
    }

    @Override
    public double minEntropy() {
        return options.minEntropyOr(assumedMinEntropy());
    }

    @Override
    public EntropySource open(Runnable onBytes) throws IOException {
        return readAhead(openRaw(), tests(assumedMinEntropy()), onBytes);
    }

    /** The tests for a source whose min-entropy is {@code assumed} unless one was stated; null for none. */
    protected final NoiseHealthTester tests(double assumed) throws IOException {
        if (!options.tested()) {
            warnOnce("its health is not tested, as health=off says");
            return null;
        }
        if (memory == null) {
            // Not from SecureRandom, which keeps /dev/random and /dev/urandom open ever after.
            memory = new SeenSequenceHashes(GetrandomSyscall.longs(SeenSequenceHashes.KEYS));
        }
        return new NoiseHealthTester(options.minEntropyOr(assumed), memory);
    }

    /** Says something about the source that is worth one line, however often it is opened. */
    protected final void warnOnce(String what) {
        if (warnings.add(what)) {
            LOG.warn("{}: {}", this, what);
        }
    }

    /** A source that reads ahead of those who need its bytes, and tests them unless {@code health} is null. */
    protected final EntropySource readAhead(BlockingEntropySource raw, NoiseHealthTester health, Runnable onBytes)
            throws IOException {
        return new ReadAheadSource(toString(), raw, health, counters, onBytes);
    }

    @Override
    public String statistics() {
        return counters.toString();
    }
}
