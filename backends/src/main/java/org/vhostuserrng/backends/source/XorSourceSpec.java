package org.vhostuserrng.backends.source;

import java.io.IOException;

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
    public EntropySource open(SourceRegistry registry, String guest) {
        return new XorSource(first.open(registry, guest), second.open(registry, guest), registry.forkDetector());
    }
}
