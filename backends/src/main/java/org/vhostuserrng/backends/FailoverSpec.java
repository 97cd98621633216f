package org.vhostuserrng.backends;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** {@code --source} given several times: the first that serves. */
record FailoverSpec(List<SourceSpec> inOrder) implements SourceSpec {
    @Override
    public String toString() {
        return inOrder.stream().map(SourceSpec::toString).collect(Collectors.joining(", else "));
    }

    @Override
    public void check() throws IOException {
        for (SourceSpec source : inOrder) {
            source.check();
        }
    }

    @Override
    public EntropySource open(Sources sources, String guest) {
        return new FailoverSource(this, sources, guest);
    }
}
