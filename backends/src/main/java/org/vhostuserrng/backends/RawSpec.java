package org.vhostuserrng.backends;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.KernelRandom;

/** A source that is read ahead, and tested, by a thread of its own. */
abstract class RawSpec implements SharedSpec {
    private static final Logger LOG = LoggerFactory.getLogger(RawSpec.class);

    private final RawOptions options;
    private final SourceCounters counters = new SourceCounters();
    private final Set<String> warnings = new HashSet<>();
    /** Made when it is needed. */
    private SequenceMemory memory;

    RawSpec(RawOptions options) {
        this.options = options;
    }

    /** What the tests assume unless the expression states it: bits of a byte. */
    abstract double assumedMinEntropy();

    /** Opens the source, to be read by another thread. */
    abstract RawSource openRaw() throws IOException;

    RawOptions options() {
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
    final HealthTests tests(double assumed) throws IOException {
        if (!options.tested()) {
            warnOnce("its health is not tested, as health=off says");
            return null;
        }
        if (memory == null) {
            // Not from SecureRandom, which keeps /dev/random and /dev/urandom open ever after.
            memory = new SequenceMemory(KernelRandom.longs(SequenceMemory.KEYS));
        }
        return new HealthTests(options.minEntropyOr(assumed), memory);
    }

    /** Says something about the source that is worth one line, however often it is opened. */
    final void warnOnce(String what) {
        if (warnings.add(what)) {
            LOG.warn("{}: {}", this, what);
        }
    }

    /** A source that reads ahead of those who need its bytes, and tests them unless {@code health} is null. */
    final EntropySource readAhead(RawSource raw, HealthTests health, Runnable onBytes) throws IOException {
        return new ReadAheadSource(toString(), raw, health, counters, onBytes);
    }

    @Override
    public String statistics() {
        return counters.toString();
    }
}
