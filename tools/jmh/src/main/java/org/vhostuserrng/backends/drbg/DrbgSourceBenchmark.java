package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.vhostuserrng.backends.local.GetrandomSourceSpec;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.source.VmForkClocks;
import org.vhostuserrng.jmh.JmhBenchmarkSettings;

/**
 * Measures the DRBG of a guest, including its output buffer, reseeds and the copy to guest memory, and compares it with
 * plain AES-CTR of the JDK.
 */
@State(Scope.Thread)
public class DrbgSourceBenchmark extends JmhBenchmarkSettings {
    /** Number of bytes per request. */
    @Param({"64", "4096", "65536"})
    public int size;

    private final MemorySegment guest = Arena.ofAuto().allocate(CtrDrbg.MAX_REQUEST_BYTES);
    private final byte[] zeros = new byte[CtrDrbg.MAX_REQUEST_BYTES];
    private final byte[] output = new byte[CtrDrbg.MAX_REQUEST_BYTES];
    private DrbgSource drbg;
    private Cipher cipher;

    /** Creates the DRBG and the cipher. */
    @Setup
    public void setUp() throws GeneralSecurityException {
        DrbgSeedSource input = new DrbgSeedSource("zeros", new Zeros(), 8);
        SourceRegistry sources =
                new SourceRegistry(new GetrandomSourceSpec(), () -> {}, System::nanoTime, VmForkClocks::ofHost);
        drbg = new DrbgSource(
                "guest",
                List.of(input),
                DrbgReseedPolicy.DEFAULT,
                new SharedDrbgContext(),
                sources.clock(),
                sources.forkDetector());
        cipher = Cipher.getInstance("AES/CTR/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(new byte[32], "AES"), new IvParameterSpec(new byte[16]));
    }

    /** Fills one request of a ring. */
    @Benchmark
    public int drbg() {
        return drbg.fill(guest, 0, size);
    }

    /** Encrypts only: the upper bound of the DRBG's throughput. */
    @Benchmark
    public int aesCtr() throws GeneralSecurityException {
        return cipher.update(zeros, 0, size, output, 0);
    }

    /** A seed source that takes no time, so that the benchmark measures only the DRBG. */
    private static final class Zeros implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            return length;
        }

        @Override
        public void close() {}
    }
}
