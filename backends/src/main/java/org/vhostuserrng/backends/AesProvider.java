package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.Arena;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.CpuAes;

/** Who does AES here. Any thread. */
enum AesProvider {
    /** Instructions of x86-64. */
    PROCESSOR {
        @Override
        Aes256 create(Arena arena) {
            return new CpuAes256(Instructions.LOADED, arena);
        }
    },
    JDK {
        @Override
        Aes256 create(Arena arena) {
            return new JdkAes256();
        }
    };

    private static final Logger LOG = LoggerFactory.getLogger(AesProvider.class);

    /**
     * An instance with an unknown key.
     *
     * @param arena as long as it lives the instance can be used
     */
    abstract Aes256 create(Arena arena);

    /** The processor, if it can. */
    static AesProvider best() {
        return Instructions.LOADED == null ? JDK : PROCESSOR;
    }

    /** Loaded once, when the first generator is wanted. */
    private static final class Instructions {
        private static final CpuAes LOADED = load();

        private static CpuAes load() {
            try {
                return CpuAes.load();
            } catch (IOException lacking) {
                LOG.info("AES is the JDK's, which is slower and leaves garbage: {}", lacking.getMessage());
                return null;
            }
        }
    }
}
