package org.vhostuserrng.device;

import java.util.function.LongSupplier;
import org.vhostuserrng.backends.EntropySource;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.WriteLog;

/**
 * The request queue of a guest while it runs. Each request is walked whole before anything is written; one that cannot
 * be served now stays available, so that it is neither lost nor ever completed with nothing.
 */
final class RngRing implements DeviceQueue {
    // The share of one turn, a fraction of a millisecond whatever the requests look like: then others have theirs.
    private static final int REQUESTS_A_TURN = 64;
    private static final int BYTES_A_TURN = 32 * 1024;
    private static final int DESCRIPTORS_A_TURN = 4096;
    /** The quota knows when to go on. */
    private static final long THROTTLED = -5;

    private final EntropySource source;
    private final Quota quota;
    private final RngCounters counters;
    private final Virtqueue queue;
    private final CallSignal call;
    private final WriteLog writes;
    private final LongSupplier clock;
    private final BufferChain chain;
    private final ChainFiller filler;
    private RingFault fault;

    RngRing(RngDevice device, Virtqueue queue, QueueSetup setup, EntropySource source, Workspace workspace) {
        this.source = source;
        this.quota = device.quota();
        this.counters = device.counters();
        this.queue = queue;
        this.call = setup.call();
        this.writes = setup.writes();
        this.clock = setup.clock();
        this.chain = workspace.chain();
        this.filler = new ChainFiller(source, workspace);
    }

    @Override
    public long drain() {
        long now = clock.getAsLong();
        long next = serve(now);
        if (queue.publish()) {
            call.signal();
        }
        quota.settle(clock.getAsLong());
        if (next == IDLE) {
            return queue.rearm() ? MORE : IDLE;
        }
        if (next != BROKEN) {
            queue.suppressKicks();
        }
        return next == THROTTLED ? quota.nextRefill() : next;
    }

    /** Serves until nothing is available, something has to be waited for, or the share of this turn is used up. */
    private long serve(long now) {
        int bytes = 0;
        int descriptors = 0;
        for (int requests = 0; requests < REQUESTS_A_TURN; requests++) {
            if (!queue.hasNext()) {
                return IDLE;
            }
            if (bytes >= BYTES_A_TURN || descriptors >= DESCRIPTORS_A_TURN) {
                return MORE;
            }
            long outcome = serveOne(now);
            if (outcome != MORE) {
                return outcome;
            }
            bytes += chain.bytes();
            descriptors += chain.descriptors();
        }
        return MORE;
    }

    /** Serves one request: {@link #MORE} if that was done, else when or why not. */
    private long serveOne(long now) {
        RingFault wrong = queue.collect(chain);
        if (wrong != null) {
            return wrong == RingFault.TRANSLATION_MISSING ? MISSING : broken(wrong);
        }
        long allowed = quota.available(now);
        if (allowed <= 0) {
            counters.throttled();
            return THROTTLED;
        }
        queue.take();
        int filled = filler.fill((int) Math.min(allowed, chain.bytes()));
        return switch (filled) {
            case EntropySource.NOT_NOW, EntropySource.FAILED -> {
                queue.giveBack();
                counters.starved();
                yield STARVED;
            }
            case EntropySource.TARGET_GONE -> broken(RingFault.MEMORY_GONE);
            default -> {
                chain.logTo(writes, filled);
                quota.charge(now, filled);
                counters.served(filled);
                // §5.4.6.1: at least one byte, and the length tells how many.
                queue.use(filled);
                yield MORE;
            }
        };
    }

    private long broken(RingFault cause) {
        counters.fault();
        fault = cause;
        return BROKEN;
    }

    @Override
    public String fault() {
        return fault.toString();
    }

    @Override
    public int stop() {
        source.close();
        return queue.base();
    }
}
