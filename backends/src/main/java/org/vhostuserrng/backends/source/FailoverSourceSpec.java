package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A failover list, which is specified by several {@code --source} options.
 *
 * @param sources the sources, in order of preference
 */
public record FailoverSourceSpec(List<EntropySourceSpec> sources) implements EntropySourceSpec {
    /** Returns a source that uses the first of {@code sources} that has bytes, at each request. */
    public static EntropySourceSpec firstOf(List<EntropySourceSpec> sources) {
        return sources.size() == 1 ? sources.getFirst() : new FailoverSourceSpec(sources);
    }

    @Override
    public String toString() {
        return sources.stream().map(EntropySourceSpec::toString).collect(Collectors.joining(", else "));
    }

    @Override
    public void probe() throws IOException {
        for (EntropySourceSpec source : sources) {
            source.probe();
        }
    }

    @Override
    public EntropySource open(SourceRegistry registry, String guest) {
        return new FailoverSource(this, registry, guest);
    }
}
