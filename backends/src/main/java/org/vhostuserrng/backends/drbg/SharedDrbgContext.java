package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * What all the DRBGs of a loop share: memory for the moment, which is zero in between, and what sets one instance apart
 * from all others. Confined to the loop's thread.
 */
final class SharedDrbgContext {
    private static final int STAGING_BYTES = 4096;

    private final Arena arena = Arena.ofAuto();
    private final AesProvider aes;
    private final BlockCipherDf df;
    private final MemorySegment staging = arena.allocate(STAGING_BYTES);
    private final MemorySegment output = arena.allocate(CtrDrbg.MAX_REQUEST_BYTES);
    private final Map<String, DrbgSeedRateLimiter> budgets = new HashMap<>();
    private final long processId = ProcessHandle.current().pid();
    private final long began = System.currentTimeMillis();
    private long instances;

    SharedDrbgContext(AesProvider aes) {
        this.aes = aes;
        this.df = new BlockCipherDf(aes, arena);
    }

    /**
     * A DRBG without a state yet.
     *
     * @param memory its own, as long as that lives
     */
    CtrDrbg newDrbg(Arena memory) {
        return new CtrDrbg(aes, df, memory);
    }

    /** Native memory for what system calls write. */
    MemorySegment staging() {
        return staging;
    }

    /** Room for the longest request of a DRBG. */
    MemorySegment output() {
        return output;
    }

    /** The same for each session of a guest. There are as many as the operator has named guests. */
    DrbgSeedRateLimiter budgetOf(String guest) {
        return budgets.computeIfAbsent(guest, name -> new DrbgSeedRateLimiter());
    }

    /** SP 800-90Ar1 §8.6.7, a unique value: this process, its time, this instance, and its time. */
    byte[] nonce() {
        return ByteBuffer.allocate(4 * Long.BYTES)
                .putLong(processId)
                .putLong(began)
                .putLong(++instances)
                .putLong(System.nanoTime())
                .array();
    }
}
