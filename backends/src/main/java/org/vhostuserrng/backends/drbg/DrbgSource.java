package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.VmForkDetector;

/**
 * The {@link CtrDrbg} of one guest, from the start of the guest's vring until it stops. It is seeded at the first
 * request, from all seed sources together, and reseeded according to its policy. Returns no bytes until it is seeded
 * with enough entropy: from all sources, or from at least one if the policy permits it. Confined to the event loop's
 * thread.
 *
 * <p>Instances differ in their seeds, in the guest's name (personalization string), and in process, time and instance
 * number (nonce). A fork of the virtual machine duplicates the state. When {@link VmForkDetector} detects a fork,
 * output generated ahead is wiped, and the DRBG is reseeded before it generates another byte. When the kernel has
 * reseeded its generator, which a fork may have caused, the next request gets kernel output as additional input (SP
 * 800-90Ar1 §8.7.2).
 */
final class DrbgSource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(DrbgSource.class);
    private static final long RETRY_DELAY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int SEEDED = 1;

    private final String guest;
    private final List<DrbgSeedSource> inputs;
    private final DrbgReseedPolicy policy;
    private final SharedDrbgContext context;
    private final LongSupplier clock;
    private final DrbgForkState forkState;
    private boolean inTurn;

    /** Memory of the DRBG; null before the first seed, so that an idle guest needs no memory. */
    private Arena arena;

    private CtrDrbg drbg;
    private long seededAt;
    private long generatedBytes;
    /** Collects a seed; null while no seed is being collected. */
    private EntropyInputCollector collector;

    private long retryAt;
    private List<String> missingInputs = List.of();

    /** Output generated ahead; null before the first small request. */
    private DrbgOutputBuffer buffer;

    /**
     * Creates an instance without a seed.
     *
     * @param inputs the seed sources; {@link #close} closes them
     * @param clock returns a monotonic time in nanoseconds, never negative
     */
    DrbgSource(
            String guest,
            List<DrbgSeedSource> inputs,
            DrbgReseedPolicy policy,
            SharedDrbgContext context,
            LongSupplier clock,
            VmForkDetector forkDetector) {
        this.guest = guest;
        this.inputs = inputs;
        this.policy = policy;
        this.context = context;
        this.clock = clock;
        this.forkState = new DrbgForkState(forkDetector);
    }

    @Override
    public void beginTurn(int expectedBytes) {
        inTurn = true;
        discardAfterFork();
    }

    @Override
    public void endTurn() {
        inTurn = false;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (!inTurn) {
            discardAfterFork();
        }
        int status = ensureSeeded();
        if (status != SEEDED) {
            return status;
        }
        return length > DrbgOutputBuffer.BYTES || policy.predictionResistance()
                ? generate(target, offset, length)
                : fillFromBuffer(target, offset, length);
    }

    // --- output ----------------------------------------------------------------------------------------------------

    private int fillFromBuffer(MemorySegment target, long offset, int length) {
        if (buffer == null) {
            buffer = new DrbgOutputBuffer(arena);
        }
        if (buffer.isEmpty()) {
            buffer.refill(drbg, additionalInput());
            generatedBytes += DrbgOutputBuffer.BYTES;
        }
        return buffer.drainTo(target, offset, length);
    }

    private int generate(MemorySegment target, long offset, int length) {
        MemorySegment output = context.outputBuffer();
        int generated = Math.min(length, CtrDrbg.MAX_REQUEST_BYTES);
        generatedBytes += generated;
        try {
            drbg.generate(output, 0, generated, additionalInput());
            MemorySegment.copy(output, 0, target, offset, generated);
        } finally {
            output.asSlice(0, generated).fill((byte) 0);
        }
        return generated;
    }

    private void discardAfterFork() {
        DrbgForkState.Sign sign = forkState.poll(isSeeded());
        if (sign == DrbgForkState.Sign.FORK) {
            discardEntropyInput();
        }
        if (sign != DrbgForkState.Sign.NONE) {
            wipeBuffer();
        }
    }

    private byte[] additionalInput() {
        return forkState.takeAdditionalInputDue() ? context.kernelBytes() : CtrDrbg.NO_INPUT;
    }

    // --- seeding ---------------------------------------------------------------------------------------------------

    /** Returns {@link #SEEDED}, or the constant of {@link EntropySource} that {@link #fill} must return. */
    private int ensureSeeded() {
        long now = clock.getAsLong();
        long age = now - seededAt;
        boolean seedIsUsable = isSeeded() && !forkState.isReseedRequired() && !policy.predictionResistance();
        if (seedIsUsable && !policy.isDue(generatedBytes, age)) {
            return SEEDED;
        }
        int status = collectEntropyInput(now);
        if (status == SEEDED) {
            return SEEDED;
        }
        return seedIsUsable && !policy.isOverdue(generatedBytes, age) ? SEEDED : status;
    }

    private int collectEntropyInput(long now) {
        if (now < retryAt) {
            return FAILED;
        }
        if (collector == null && !startCollecting(now)) {
            return WOULD_BLOCK;
        }
        return switch (collector.collect(now)) {
            case WOULD_BLOCK -> {
                if (!policy.seedFromAny() && collector.isOverdue(now)) {
                    logMissingInputs();
                }
                yield WOULD_BLOCK;
            }
            case FAILED -> {
                retryAt = now + RETRY_DELAY_NANOS;
                logMissingInputs();
                if (policy.seedFromAny()) {
                    discardEntropyInput();
                }
                yield FAILED;
            }
            case COMPLETE -> {
                logMissingInputs();
                seed(now);
                yield SEEDED;
            }
        };
    }

    private boolean startCollecting(long now) {
        DrbgInstantiationRateLimiter limiter = context.seedLimiter(guest);
        if (!isSeeded() && !limiter.tryAcquire(now)) {
            if (limiter.shouldLogRefusal(now)) {
                LOG.warn("{}: the virtqueue is started more than once a second; seeding is rate-limited", guest);
            }
            return false;
        }
        collector = new EntropyInputCollector(
                inputs,
                isSeeded() ? EntropyInputCollector.RESEED_BITS : EntropyInputCollector.INSTANTIATE_BITS,
                context.stagingBuffer(),
                policy.seedFromAny());
        return true;
    }

    private void seed(long now) {
        if (isSeeded()) {
            // The nonce contains the current time, so that forks differ even if their seed sources return the same
            // bytes.
            drbg.reseed(collector.entropyInput(), forkState.isReseedRequired() ? context.nonce() : CtrDrbg.NO_INPUT);
        } else {
            arena = context.newDrbgMemory();
            drbg = context.newDrbg(arena);
            drbg.instantiate(collector.entropyInput(), context.nonce(), personalization());
        }
        discardEntropyInput();
        wipeBuffer();
        forkState.reseeded();
        seededAt = now;
        generatedBytes = 0;
    }

    private boolean isSeeded() {
        return drbg != null;
    }

    private byte[] personalization() {
        return "vhost-user-rng, guest ".concat(guest).getBytes(StandardCharsets.UTF_8);
    }

    /** Logs the names of the sources that are missing in the seed, whenever they change. */
    private void logMissingInputs() {
        List<String> missing = collector.missingInputs();
        if (missing.equals(missingInputs)) {
            return;
        }
        missingInputs = missing;
        if (missing.isEmpty()) {
            LOG.info("{}: the DRBG is seeded from all its sources again", guest);
        } else if (!policy.seedFromAny()) {
            LOG.error(
                    "{}: the DRBG waits for a seed from {}, which failed or returned nothing; with seed-from=any it"
                            + " would not wait",
                    guest,
                    missing);
        } else if (missing.size() == inputs.size()) {
            LOG.error("{}: the DRBG cannot be seeded: {} failed or returned nothing", guest, missing);
        } else {
            LOG.warn("{}: the DRBG is seeded without {}, which failed or returned nothing", guest, missing);
        }
    }

    private void discardEntropyInput() {
        if (collector != null) {
            collector.wipe();
            collector = null;
        }
    }

    private void wipeBuffer() {
        if (buffer != null) {
            buffer.wipe();
        }
    }

    @Override
    public void close() {
        discardEntropyInput();
        if (isSeeded()) {
            wipeBuffer();
            drbg.uninstantiate();
            drbg = null;
            buffer = null;
            arena.close();
        }
        inputs.forEach(input -> input.source().close());
    }
}
