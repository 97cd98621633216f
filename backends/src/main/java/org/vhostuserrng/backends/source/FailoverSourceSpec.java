package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** {@code --source} given several times: the first that serves. */
record FailoverSourceSpec(List<EntropySourceSpec> inOrder) implements EntropySourceSpec {
    @Override
    public String toString() {
        return inOrder.stream().map(EntropySourceSpec::toString).collect(Collectors.joining(", else "));
    }

    @Override
    public void check() throws IOException {
        for (EntropySourceSpec source : inOrder) {
            source.check();
        }
    }

    @Override
    public EntropySource open(EventLoopSources sources, String guest) {
        return new FailoverSource(this, sources, guest);
    }
}
