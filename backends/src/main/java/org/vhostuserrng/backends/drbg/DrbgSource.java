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

/**
 * A {@link CtrDrbg} of one guest, from the start of its ring to its stop. Seeded when the first byte is asked for, from
 * all its inputs together, and again as its policy says; without enough entropy it does not serve.
 *
 * <p>What an instance gives is apart from what any other does by its seed, by the guest's name (personalization string),
 * and by process, time and number (nonce). A copy of the running process would go on with the same state, though: the
 * JVM does not fork, but a host that is itself a virtual machine can be cloned. The two then part at the next reseed, or
 * with prediction resistance at once.
 */
final class DrbgSource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(DrbgSource.class);
    private static final long AFTER_FAILURE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int READY = 1;

    private final String guest;
    private final List<DrbgSeedSource> inputs;
    private final DrbgReseedPolicy policy;
    private final SharedDrbgContext workspace;
    private final LongSupplier clock;

    /** Of the generator's memory. None before it has a seed, as the generator: an idle guest needs no memory for it. */
    private Arena arena;

    private CtrDrbg drbg;
    private long seededAt;
    private long generated;
    private EntropyInputCollector seed;
    private long retryAt;
    private List<String> leftOut = List.of();

    /** None before it is used. */
    private DrbgOutputBuffer block;

    /**
     * An instance without a seed.
     *
     * @param inputs closed with this
     * @param clock nanoseconds that do not run backwards and are never negative: since boot, as Linux counts them
     */
    DrbgSource(
            String guest,
            List<DrbgSeedSource> inputs,
            DrbgReseedPolicy policy,
            SharedDrbgContext workspace,
            LongSupplier clock) {
        this.guest = guest;
        this.inputs = inputs;
        this.policy = policy;
        this.workspace = workspace;
        this.clock = clock;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int ready = prepare();
        if (ready != READY) {
            return ready;
        }
        return length > DrbgOutputBuffer.BYTES || policy.predictionResistance()
                ? generate(target, offset, length)
                : moveFromBlock(target, offset, length);
    }

    // --- giving out ------------------------------------------------------------------------------------------------

    private int moveFromBlock(MemorySegment target, long offset, int length) {
        if (block == null) {
            block = new DrbgOutputBuffer(arena);
        }
        if (block.isEmpty()) {
            block.refill(drbg);
            generated += DrbgOutputBuffer.BYTES;
        }
        return block.moveTo(target, offset, length);
    }

    private int generate(MemorySegment target, long offset, int length) {
        MemorySegment output = workspace.output();
        int piece = Math.min(length, CtrDrbg.MAX_REQUEST_BYTES);
        generated += piece;
        try {
            drbg.generate(output, 0, piece);
            MemorySegment.copy(output, 0, target, offset, piece);
        } finally {
            output.asSlice(0, piece).fill((byte) 0);
        }
        return piece;
    }

    // --- seeding ---------------------------------------------------------------------------------------------------

    /** {@link #READY}, or why there is nothing to give out: a constant of EntropySource. */
    private int prepare() {
        long now = clock.getAsLong();
        long age = now - seededAt;
        if (isSeeded() && !policy.predictionResistance() && !policy.isDue(generated, age)) {
            return READY;
        }
        int collected = collect(now);
        if (collected == READY) {
            return READY;
        }
        boolean mayGoOn = isSeeded() && !policy.predictionResistance() && !policy.isOverdue(generated, age);
        return mayGoOn ? READY : collected;
    }

    private int collect(long now) {
        if (now < retryAt) {
            return FAILED;
        }
        if (seed == null && !beginSeed(now)) {
            return NOT_NOW;
        }
        return switch (seed.collect(now)) {
            case NOT_NOW -> NOT_NOW;
            case FAILED -> {
                retryAt = now + AFTER_FAILURE_NANOS;
                complain();
                dropSeed();
                yield FAILED;
            }
            case COMPLETE -> {
                complain();
                useSeed(now);
                yield READY;
            }
        };
    }

    private boolean beginSeed(long now) {
        DrbgSeedRateLimiter budget = workspace.budgetOf(guest);
        if (!isSeeded() && !budget.take(now)) {
            if (budget.isToBeTold(now)) {
                LOG.warn("{}: its ring is started more often than once a second, it waits for seeds", guest);
            }
            return false;
        }
        seed = new EntropyInputCollector(
                inputs,
                isSeeded() ? EntropyInputCollector.BITS_TO_RESEED : EntropyInputCollector.BITS_TO_INSTANTIATE,
                workspace.staging());
        return true;
    }

    private void useSeed(long now) {
        if (isSeeded()) {
            drbg.reseed(seed.entropyInput(), CtrDrbg.NONE);
        } else {
            arena = Arena.ofConfined();
            drbg = workspace.newDrbg(arena);
            drbg.instantiate(seed.entropyInput(), workspace.nonce(), personalization());
        }
        dropSeed();
        wipeBlock();
        seededAt = now;
        generated = 0;
    }

    private boolean isSeeded() {
        return drbg != null;
    }

    private byte[] personalization() {
        return "vhost-user-rng, guest ".concat(guest).getBytes(StandardCharsets.UTF_8);
    }

    /** Tells what the seed has to do without, once as long as it stays the same. */
    private void complain() {
        List<String> missing = seed.leftOut();
        if (!missing.equals(leftOut)) {
            leftOut = missing;
            if (missing.size() == inputs.size()) {
                LOG.error("{}: nothing to seed its generator from, {} failed or gave nothing", guest, missing);
            } else if (missing.isEmpty()) {
                LOG.info("{}: seeded from all its sources again", guest);
            } else {
                LOG.warn("{}: seeded without {}, which failed or gave nothing", guest, missing);
            }
        }
    }

    private void dropSeed() {
        if (seed != null) {
            seed.wipe();
            seed = null;
        }
    }

    private void wipeBlock() {
        if (block != null) {
            block.wipe();
        }
    }

    @Override
    public void close() {
        dropSeed();
        if (isSeeded()) {
            wipeBlock();
            drbg.uninstantiate();
            drbg = null;
            block = null;
            arena.close();
        }
        inputs.forEach(input -> input.source().close());
    }
}
