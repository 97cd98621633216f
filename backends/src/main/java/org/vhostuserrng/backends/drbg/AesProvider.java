package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.CpuAes;
import org.vhostuserrng.backends.sys.CpuAes.Instruction;

/** Who does AES. Any thread. */
final class AesProvider {
    static final AesProvider JDK = new AesProvider("the JDK", _ -> new JdkAes256());

    private static final Logger LOG = LoggerFactory.getLogger(AesProvider.class);

    private final String name;
    private final Function<Arena, Aes256> creator;

    private AesProvider(String name, Function<Arena, Aes256> creator) {
        this.name = name;
        this.creator = creator;
    }

    /**
     * The processor.
     *
     * @throws IOException with the reason, if it cannot
     */
    static AesProvider of(Instruction instruction) throws IOException {
        CpuAes loaded = CpuAes.load(instruction);
        return new AesProvider("the processor's " + instruction, arena -> new CpuAes256(loaded, arena));
    }

    /** The fastest of all that can do it here. */
    static AesProvider best() {
        return Best.PROVIDER;
    }

    /**
     * An instance with an unknown key.
     *
     * @param arena as long as it lives the instance can be used
     */
    Aes256 create(Arena arena) {
        return creator.apply(arena);
    }

    @Override
    public String toString() {
        return name;
    }

    /** Found out when the first generator is wanted. */
    private static final class Best {
        private static final AesProvider PROVIDER = find();

        private static AesProvider find() {
            try {
                return of(Instruction.VAES);
            } catch (IOException lacking) {
                LOG.debug("no AES by VAES: {}", lacking.getMessage());
            }
            try {
                return of(Instruction.AES_NI);
            } catch (IOException lacking) {
                LOG.info("AES is the JDK's, which is slower and leaves garbage: {}", lacking.getMessage());
                return JDK;
            }
        }
    }
}
