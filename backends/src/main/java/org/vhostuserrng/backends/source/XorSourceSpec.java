package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/** The source {@code xor(A,B)}: the XOR of two sources. */
public record XorSourceSpec(EntropySourceSpec first, EntropySourceSpec second) implements EntropySourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "xor";

    @Override
    public String toString() {
        return NAME + "(" + first + "," + second + ")";
    }

    @Override
    public void probe() throws IOException {
        first.probe();
        second.probe();
    }

    @Override
    public List<SharedSourceSpec> sharedSources() {
        return Stream.of(first, second)
                .flatMap(source -> source.sharedSources().stream())
                .toList();
    }

    @Override
    public EntropySource open(SourceRegistry registry, String guest) {
        return new XorSource(first.open(registry, guest), second.open(registry, guest), registry.forkDetector());
    }
}
