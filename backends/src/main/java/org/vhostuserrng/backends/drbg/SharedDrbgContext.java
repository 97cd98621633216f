package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.vhostuserrng.backends.sys.GetrandomSyscall;

/**
 * State that the DRBGs of an event loop share: scratch memory that is zero between calls, seed rate limiters, and the
 * components of a nonce. Confined to the loop's thread. Not final, so that tests can set the nonce and read the memory.
 */
class SharedDrbgContext {
    private static final int STAGING_BYTES = 4096;

    private final Arena arena = Arena.ofAuto();
    private final byte[] scratch = new byte[Aes256.SCRATCH_BYTES];
    private final BlockCipherDf df = new BlockCipherDf(scratch, arena);
    private final MemorySegment staging = arena.allocate(STAGING_BYTES);
    private final MemorySegment output = arena.allocate(CtrDrbg.MAX_REQUEST_BYTES);
    private final Map<String, DrbgInstantiationRateLimiter> seedLimiters = new HashMap<>();
    private final long processId = ProcessHandle.current().pid();
    private final long processStartMillis = System.currentTimeMillis();
    private long instances;

    /** Creates the memory of a DRBG and its output buffer. The caller must close it. */
    Arena newDrbgMemory() {
        return Arena.ofConfined();
    }

    /**
     * Creates a DRBG that is not instantiated.
     *
     * @param memory the memory of the DRBG, which must outlive it
     */
    CtrDrbg newDrbg(Arena memory) {
        return new CtrDrbg(df, scratch, memory);
    }

    /** Native memory into which seed sources are read. */
    MemorySegment stagingBuffer() {
        return staging;
    }

    /** Native memory for the output of a request of maximum length. */
    MemorySegment outputBuffer() {
        return output;
    }

    /**
     * Returns the limiter of a guest, which all its sessions share. Limiters are never removed; there is one for each
     * guest name.
     */
    DrbgInstantiationRateLimiter seedLimiter(String guest) {
        return seedLimiters.computeIfAbsent(guest, _ -> new DrbgInstantiationRateLimiter());
    }

    /** Returns new bytes of the kernel's generator; an empty array if the generator is not seeded. */
    byte[] kernelBytes() {
        int got = GetrandomSyscall.fill(staging, 0, CtrDrbg.MIN_ENTROPY_BYTES);
        byte[] bytes = new byte[Math.max(got, 0)];
        MemorySegment.copy(staging, ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
        staging.asSlice(0, bytes.length).fill((byte) 0);
        return bytes;
    }

    /**
     * Returns a unique nonce (SP 800-90Ar1 §8.6.7): process ID, start time of the process, instance number and two
     * clocks.
     */
    byte[] nonce() {
        return ByteBuffer.allocate(5 * Long.BYTES)
                .putLong(processId)
                .putLong(processStartMillis)
                .putLong(++instances)
                .putLong(System.nanoTime())
                .putLong(System.currentTimeMillis())
                .array();
    }
}
