package org.vhostuserrng.backends;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/** {@code drbg(A+B)}: a DRBG of each guest's own, new at each start of its ring, seeded from all of these together. */
record DrbgSourceSpec(List<SharedSourceSpec> seeds, DrbgReseedPolicy policy) implements EntropySourceSpec {
    static final String NAME = "drbg";

    /** Seeded from what this machine has: the processor's entropy, if it gives any, and the kernel's generator. */
    static DrbgSourceSpec of(DrbgReseedPolicy policy) {
        SharedSourceSpec processor = new CpuRngSourceSpec(Instruction.RDSEED, false, NoiseSourceOptions.NONE);
        SharedSourceSpec kernel = new GetrandomSourceSpec();
        return new DrbgSourceSpec(isUsable(processor) ? List.of(processor, kernel) : List.of(kernel), policy);
    }

    private static boolean isUsable(SharedSourceSpec source) {
        try {
            source.check();
            return true;
        } catch (IOException lacking) {
            return false;
        }
    }

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
        return new DrbgSource(guest, inputs, policy, sources.drbgs(), sources.clock());
    }
}
