package org.vhostuserrng.device.rng;

import java.util.function.LongSupplier;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * The request queue of a guest while it runs. Each request is walked whole before anything is written; one that cannot
 * be served now stays available, so that it is neither lost nor ever completed with nothing.
 */
final class RngRequestQueue implements VirtqueueHandler {
    // The share of one turn, a fraction of a millisecond whatever the requests look like: then others have theirs.
    private static final int REQUESTS_A_TURN = 64;
    private static final int BYTES_A_TURN = 16 * 1024;
    // Where nobody waits for the end of a turn, an interrupt for several large requests.
    private static final int BYTES_A_LONE_TURN = 32 * BYTES_A_TURN;
    // Each may be in a page that the host has yet to find, which takes longer than to fill it.
    private static final int PIECES_A_TURN = REQUESTS_A_TURN;
    private static final int PIECES_A_LONE_TURN = 16 * PIECES_A_TURN;
    private static final int DESCRIPTORS_A_TURN = ScatterGatherList.MOST_DESCRIPTORS;

    private final EntropySource source;
    private final GuestRateLimiter quota;
    private final DrrGuestFlow share;
    /** Then a request is served in one turn: it is counted as a whole, when the guest can see it, and few are. */
    private final boolean limited;

    private final RngCounters counters;
    private final RngFlightRecorder events;
    private final Virtqueue queue;
    private final UsedBufferNotifier call;
    private final VirtqueueDirtyLogger writes;
    private final LongSupplier clock;
    private final SharedRequestScratch workspace;
    private final ScatterGatherList chain;
    private final EntropyBufferFiller filler;
    // What is left of the share of this turn; may be below zero by one request.
    private int requestsLeft;
    private int bytesLeft;
    private int piecesLeft;
    private int descriptorsLeft;
    // Of the first available request: how much earlier turns have filled, and of which chain.
    private int filledBefore;
    private long begun;
    private VirtqueueFault fault;

    RngRequestQueue(
            VirtioRngDevice device,
            Virtqueue queue,
            VirtqueueConfig setup,
            EntropySource source,
            SharedRequestScratch workspace) {
        this.source = source;
        this.quota = device.quota();
        this.share = device.share();
        this.limited = quota.isLimited() || share.isLimited();
        this.counters = device.counters();
        this.events = RngFlightRecorder.of(device.name());
        this.queue = queue;
        this.call = setup.call();
        this.writes = setup.writes();
        this.clock = setup.clock();
        this.workspace = workspace;
        this.chain = workspace.chain();
        this.filler = new EntropyBufferFiller(source, workspace);
        workspace.join();
    }

    @Override
    public long drain() {
        beginTurn();
        long next = serveAndPublish();
        while (next == IDLE && queue.rearm()) {
            // A guest that takes back what it made available must not hold the loop either.
            requestsLeft--;
            next = serveAndPublish();
        }
        if (next != IDLE && next != BROKEN) {
            queue.suppressKicks();
        }
        return next;
    }

    @Override
    public long drainAndStay() {
        beginTurn();
        long next = serveAndPublish();
        if (next != BROKEN) {
            queue.suppressKicks();
        }
        return next;
    }

    @Override
    public boolean isPending() {
        return queue.hasNext();
    }

    private void beginTurn() {
        requestsLeft = REQUESTS_A_TURN;
        bytesLeft = workspace.isShared() ? BYTES_A_TURN : BYTES_A_LONE_TURN;
        piecesLeft = workspace.isShared() ? PIECES_A_TURN : PIECES_A_LONE_TURN;
        descriptorsLeft = DESCRIPTORS_A_TURN;
    }

    private long serveAndPublish() {
        long now = clock.getAsLong();
        long next = serve(now);
        if (queue.publish()) {
            call.signal();
        }
        if (limited) {
            settle(clock.getAsLong());
        }
        if (next == IDLE) {
            share.stopWaiting(now);
        }
        return next;
    }

    private void settle(long now) {
        quota.commit(now);
        share.commit(now);
    }

    /** Serves until nothing is available, something has to be waited for, or the share of this turn is used up. */
    private long serve(long now) {
        while (requestsLeft > 0) {
            if (!queue.hasNext()) {
                return IDLE;
            }
            if (bytesLeft <= 0 || piecesLeft <= 0 || descriptorsLeft <= 0) {
                return MORE;
            }
            long outcome = serveOne(now);
            if (outcome != MORE) {
                return outcome;
            }
            requestsLeft--;
            descriptorsLeft -= chain.descriptors();
        }
        return MORE;
    }

    /**
     * Serves one request, or as much of it as this turn has room for: {@link #MORE} if that was done, else when or why
     * not.
     */
    private long serveOne(long now) {
        if (filledBefore == 0) {
            events.begin();
        }
        VirtqueueFault wrong = queue.collect(chain);
        if (wrong != null) {
            share.deactivate();
            return wrong == VirtqueueFault.TRANSLATION_MISSING ? MISSING : broken(wrong);
        }
        int from = filledAlready();
        long allowed = quota.grant(now, chain.bytes() - from);
        if (allowed == 0) {
            throttled();
            share.deactivate();
            return quota.nextGrantTime();
        }
        long granted = share.grant(now, allowed);
        if (granted == 0) {
            return from > 0 ? completeShort(from) : awaitShare();
        }
        return fill(now, from, (int) granted);
    }

    /** How much of the chain earlier turns have filled: nothing, if the driver has put another one in its place. */
    private int filledAlready() {
        return filledBefore > 0 && chain.identity() == begun ? filledBefore : 0;
    }

    private long fill(long now, int from, int granted) {
        queue.take();
        int most = limited ? granted : Math.min(granted, room(from));
        int filled = filler.fill(from, most);
        return switch (filled) {
            case EntropySource.WOULD_BLOCK, EntropySource.FAILED -> {
                if (from > 0) {
                    complete(from);
                    yield MORE;
                }
                queue.giveBack();
                starved();
                yield awaitSource(now, filled);
            }
            case EntropySource.TARGET_FAULT -> broken(VirtqueueFault.MEMORY_GONE);
            default -> {
                chain.logTo(writes, from, from + filled);
                charge(now, filled);
                bytesLeft -= filled;
                piecesLeft -= filler.touched();
                if (filled == most && most < granted) {
                    putOff(from + filled);
                } else {
                    complete(from + filled);
                }
                yield MORE;
            }
        };
    }

    /** What this turn has room for of the chain's bytes. */
    private int room(int from) {
        return Math.min(bytesLeft, chain.bytesOf(from, piecesLeft));
    }

    /** Leaves the request available, to go on with it in the next turn. */
    private void putOff(int filled) {
        queue.giveBack();
        filledBefore = filled;
        begun = chain.identity();
    }

    /** Completes the request with what earlier turns have filled. */
    private long completeShort(int filled) {
        queue.take();
        complete(filled);
        return MORE;
    }

    private void complete(int filled) {
        filledBefore = 0;
        counters.served(filled);
        // §5.4.6.1: at least one byte, and the length tells how many.
        queue.use(filled);
        events.served(filled);
    }

    private long awaitSource(long now, int outcome) {
        if (outcome == EntropySource.WOULD_BLOCK && source.isSharedByGuests()) {
            share.sourceStarved(now);
        } else {
            share.deactivate();
        }
        return STARVED;
    }

    private long awaitShare() {
        if (share.isThrottledByTotal()) {
            throttled();
        } else {
            starved();
        }
        return STARVED;
    }

    private void throttled() {
        counters.throttled();
        events.throttled();
    }

    private void starved() {
        counters.starved();
        events.starved();
    }

    private void charge(long now, int served) {
        quota.charge(now, served);
        share.charge(now, served);
    }

    private long broken(VirtqueueFault cause) {
        counters.fault();
        fault = cause;
        return BROKEN;
    }

    @Override
    public String fault() {
        return fault.toString();
    }

    @Override
    public long retryAt() {
        return share.retryAt();
    }

    @Override
    public void rest() {
        share.deactivate();
    }

    @Override
    public int stop() {
        share.deactivate();
        source.close();
        workspace.leave();
        return queue.base();
    }
}
