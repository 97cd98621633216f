package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.EventLoopSources;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/** {@code drbg(A+B)}: a DRBG of each guest's own, new at each start of its ring, seeded from all of these together. */
public record DrbgSourceSpec(List<SharedSourceSpec> seeds, DrbgReseedPolicy policy) implements EntropySourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "drbg";

    @Override
    public String toString() {
        return seeds.stream().map(SharedSourceSpec::toString).collect(Collectors.joining("+", NAME + "(", ")"))
                + policy;
    }

    /** All of them: a seed can do without one that fails later, but one that cannot be used at all is a mistake. */
    @Override
    public void check() throws IOException {
        DrbgSelfCheck.run();
        for (SharedSourceSpec seed : seeds) {
            seed.check();
        }
    }

    @Override
    public EntropySource open(EventLoopSources sources, String guest) {
        List<DrbgSeedSource> inputs = seeds.stream()
                .map(seed -> new DrbgSeedSource(seed.toString(), seed.open(sources, guest), seed.minEntropy()))
                .toList();
        return new DrbgSource(
                guest,
                inputs,
                policy,
                sources.perLoop(SharedDrbgContext.class, () -> new SharedDrbgContext(AesProvider.best())),
                sources.clock());
    }
}
