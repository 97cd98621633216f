package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A failover list: {@code --source} given several times.
 *
 * @param sources in order of preference
 */
public record FailoverSourceSpec(List<EntropySourceSpec> sources) implements EntropySourceSpec {
    /** A source that uses the first of {@code sources} that serves, and returns to a preferred one when it recovers. */
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
    public List<SharedSourceSpec> sharedSources() {
        return sources.stream()
                .flatMap(source -> source.sharedSources().stream())
                .toList();
    }

    @Override
    public EntropySource open(SourceRegistry registry, String guest) {
        return new FailoverSource(this, registry, guest);
    }
}
