package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;

/**
 * The source {@code drbg(A+B)}: one DRBG for each guest, which is instantiated at each start of the guest's vring, and
 * seeded from all seed sources together.
 *
 * @param seeds the seed sources, at least one
 */
public record DrbgSourceSpec(List<SharedSourceSpec> seeds, DrbgReseedPolicy policy) implements EntropySourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "drbg";

    @Override
    public String toString() {
        return seeds.stream().map(SharedSourceSpec::toString).collect(Collectors.joining("+", NAME + "(", ")"))
                + policy;
    }

    /** {@inheritDoc} All seed sources must be usable, even if the policy permits that one of them fails later. */
    @Override
    public void probe() throws IOException {
        DrbgSelfCheck.run();
        for (SharedSourceSpec seed : seeds) {
            seed.probe();
        }
    }

    @Override
    public EntropySource open(SourceRegistry registry, String guest) {
        List<DrbgSeedSource> inputs = seeds.stream()
                .map(seed -> new DrbgSeedSource(seed.toString(), seed.open(registry, guest), seed.minEntropy()))
                .toList();
        SharedDrbgContext context = registry.perLoop(SharedDrbgContext.class, SharedDrbgContext::new);
        return new DrbgSource(guest, inputs, policy, context, registry.clock(), registry.forkDetector());
    }
}
