package org.vhostuserrng.backends;

import java.io.IOException;

/** A source that is read ahead, and tested, by a thread of its own. */
abstract class RawSpec implements SharedSpec {
    private final RawOptions options;
    private final SourceCounters counters = new SourceCounters();

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
    public double minEntropy() {
        return options.statesMinEntropy() ? options.minEntropy() : assumedMinEntropy();
    }

    @Override
    public EntropySource open(Runnable onBytes) throws IOException {
        return readAhead(openRaw(), options.tests(assumedMinEntropy()), onBytes);
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
