package org.vhostuserrng.backends.source;

import java.io.IOException;

/** {@code xor(A,B)}: both, joined. */
public record XorSourceSpec(EntropySourceSpec first, EntropySourceSpec second) implements EntropySourceSpec {
    public static final String NAME = "xor";

    @Override
    public String toString() {
        return NAME + "(" + first + "," + second + ")";
    }

    @Override
    public void check() throws IOException {
        first.check();
        second.check();
    }

    @Override
    public EntropySource open(EventLoopSources sources, String guest) {
        return new XorSource(first.open(sources, guest), second.open(sources, guest));
    }
}
