package org.vhostuserrng.backends;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.backends.sys.CpuRandom.Instruction;

/** {@code drbg(A+B)}: a DRBG of each guest's own, new at each start of its ring, seeded from all of these together. */
record DrbgSpec(List<SharedSpec> seeds, DrbgPolicy policy) implements SourceSpec {
    static final String NAME = "drbg";

    /** Seeded from what this machine has: the processor's entropy, if it gives any, and the kernel's generator. */
    static DrbgSpec of(DrbgPolicy policy) {
        SharedSpec processor = new CpuSpec(Instruction.RDSEED, false, RawOptions.NONE);
        SharedSpec kernel = new GetrandomSpec();
        return new DrbgSpec(isUsable(processor) ? List.of(processor, kernel) : List.of(kernel), policy);
    }

    private static boolean isUsable(SharedSpec source) {
        try {
            source.check();
            return true;
        } catch (IOException lacking) {
            return false;
        }
    }

    @Override
    public String toString() {
        return seeds.stream().map(SharedSpec::toString).collect(Collectors.joining("+", NAME + "(", ")")) + policy;
    }

    /** All of them: a seed can do without one that fails later, but one that cannot be used at all is a mistake. */
    @Override
    public void check() throws IOException {
        DrbgSelfTest.run();
        for (SharedSpec seed : seeds) {
            seed.check();
        }
    }

    @Override
    public EntropySource open(Sources sources, String guest) {
        List<SeedInput> inputs = seeds.stream()
                .map(seed -> new SeedInput(seed.toString(), seed.open(sources, guest), seed.minEntropy()))
                .toList();
        return new DrbgSource(guest, inputs, policy, sources.drbgs(), sources.clock());
    }
}
