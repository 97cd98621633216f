package org.vhostuserrng.device.rng;

import java.util.function.LongSupplier;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The started requestq of a guest (VIRTIO 1.3 §5.4.2). Reads the whole descriptor chain of a request before it writes
 * to the buffers. A request that cannot be served yet stays available: it is neither lost nor completed without bytes.
 * Confined to the loop's thread.
 */
final class RngRequestQueue implements VirtqueueHandler {
    // Maximum work of one drain, after which the other guests are served: a fraction of a millisecond for requests of
    // any size.
    private static final int MAX_REQUESTS_PER_DRAIN = 64;
    private static final int MAX_BYTES_PER_DRAIN = 16 * 1024;
    // A guest that is active alone delays no other guest, so it gets a larger limit, and one interrupt for several
    // large requests.
    private static final int MAX_BYTES_PER_DRAIN_ALONE = 32 * MAX_BYTES_PER_DRAIN;
    // Limits the number of page faults: each segment may cause one on the host, which takes longer than filling the
    // segment.
    private static final int MAX_SEGMENTS_PER_DRAIN = MAX_REQUESTS_PER_DRAIN;
    private static final int MAX_SEGMENTS_PER_DRAIN_ALONE = 16 * MAX_SEGMENTS_PER_DRAIN;
    private static final int MAX_DESCRIPTORS_PER_DRAIN = ScatterGatherList.MAX_DESCRIPTORS;

    private final VirtioRngDevice device;
    private EntropySource source;
    private final GuestRateLimiter rateLimiter;
    private final DrrGuestFlow flow;
    /**
     * Whether the guest is rate limited. A rate-limited request must be filled in one drain, because it is charged as a
     * whole when the driver can see it.
     */
    private boolean rateLimited;

    private final RngCounters counters;
    /** Writes the counters file; null without one. */
    private final PublishedRngCounters published;

    private final RngFlightRecorder recorder;
    private final Virtqueue queue;
    private final VirtqueueAddressSpace memory;
    private final UsedBufferNotifier notifier;
    private final VirtqueueDirtyLogger dirtyLogger;
    private final LongSupplier clock;
    private final RequestScratchMemory scratch;
    private final ScatterGatherList buffers;
    private EntropyBufferFiller filler;
    // The remaining limits of this drain. The last request may make them negative.
    private int requestsLeft;
    private int bytesLeft;
    private int segmentsLeft;
    private int descriptorsLeft;
    // The number of bytes of a request that earlier drains have filled in part, and the fingerprint of its buffers.
    private int partlyFilled;
    private long partlyFilledFingerprint;

    /**
     * Whether {@link EntropySource#beginTurn} has been called for this queue, and {@link EntropySource#endTurn} has
     * not.
     */
    private boolean inTurn;

    private long retryAt = NEVER;
    /** Since when a request has been waiting for bytes of the source; {@link #NEVER} if none is. */
    private long starvedSince = NEVER;

    private VirtqueueFault fault;

    RngRequestQueue(
            VirtioRngDevice device,
            Virtqueue queue,
            VirtqueueConfig config,
            EntropySource source,
            RequestScratchMemory scratch) {
        this.device = device;
        this.source = source;
        this.rateLimiter = device.rateLimiter();
        this.flow = device.flow();
        this.counters = device.counters();
        this.published = device.publishedCounters();
        this.recorder = RngFlightRecorder.of(device.name());
        this.queue = queue;
        this.memory = config.memory();
        this.notifier = config.notifier();
        this.dirtyLogger = config.dirtyLogger();
        this.clock = config.clock();
        this.scratch = scratch;
        this.buffers = scratch.buffers();
        this.filler = new EntropyBufferFiller(source, scratch);
        scratch.addQueue();
    }

    @Override
    public DrainResult drain() {
        return drain(clock.getAsLong());
    }

    @Override
    public DrainResult drain(long now) {
        if (device.isPaused()) {
            return paused();
        }
        beginDrain();
        DrainResult result = serveAndPublish(now);
        while (result == DrainResult.EMPTY && queue.enableNotifications()) {
            // Counts as a request, so that a driver that makes buffers available and revokes them cannot make this loop
            // endless.
            requestsLeft--;
            result = serveAndPublish(clock.getAsLong());
        }
        if (result != DrainResult.EMPTY && result != DrainResult.BROKEN) {
            queue.disableNotifications();
        }
        return result;
    }

    @Override
    public DrainResult drainForBusyPoll() {
        return drainForBusyPoll(clock.getAsLong());
    }

    @Override
    public DrainResult drainForBusyPoll(long now) {
        if (device.isPaused()) {
            return paused();
        }
        beginDrain();
        DrainResult result = serveAndPublish(now);
        if (result != DrainResult.BROKEN) {
            queue.disableNotifications();
        }
        return result;
    }

    @Override
    public boolean hasPending() {
        return queue.hasAvailable();
    }

    /** Makes the vring wait until the device is resumed, after which the vring is dispatched. */
    private DrainResult paused() {
        flow.deactivate();
        retryAt = NEVER;
        return DrainResult.THROTTLED;
    }

    /** Replaces the source, and closes the previous one. Must be called between two drains. */
    void replaceSource(EntropySource replacement) {
        source.close();
        source = replacement;
        filler = new EntropyBufferFiller(source, scratch);
    }

    /** Closes the source, because this process ends. The queue must not be drained or stopped afterwards. */
    void closeSource() {
        source.close();
    }

    private void beginDrain() {
        rateLimited = rateLimiter.isLimited() || flow.isLimited();
        boolean alone = !scratch.isShared();
        requestsLeft = MAX_REQUESTS_PER_DRAIN;
        bytesLeft = alone ? MAX_BYTES_PER_DRAIN_ALONE : MAX_BYTES_PER_DRAIN;
        segmentsLeft = alone ? MAX_SEGMENTS_PER_DRAIN_ALONE : MAX_SEGMENTS_PER_DRAIN;
        descriptorsLeft = MAX_DESCRIPTORS_PER_DRAIN;
    }

    private DrainResult serveAndPublish(long now) {
        long requestsBefore = counters.requests();
        DrainResult result;
        try {
            result = serveTurn(now);
            device.keep();
            if (published == null) {
                publishUsed();
            } else {
                publishUsedAndCounters(now, counters.requests() - requestsBefore);
            }
        } finally {
            // Commits even if guest memory vanished, because the guest may see bytes that were written before.
            if (rateLimited) {
                commit(clock.getAsLong());
                device.keep();
            }
        }
        if (result == DrainResult.EMPTY) {
            flow.stopWaiting(now);
        }
        return result;
    }

    /**
     * Publishes the used buffers, and notifies the driver if it wants a notification. Returns whether it was notified.
     */
    private boolean publishUsed() {
        boolean notify = queue.publishUsed();
        if (notify) {
            notifier.signal();
        }
        return notify;
    }

    private void publishUsedAndCounters(long now, long served) {
        if (served > 0) {
            published.publishServed(now);
        }
        if (publishUsed()) {
            published.interrupted();
        }
        if (served > 0) {
            published.completed(served, clock.getAsLong() - now);
        }
    }

    private DrainResult serveTurn(long now) {
        try {
            return serve(now);
        } finally {
            endTurn();
        }
    }

    /**
     * Begins the source's turn with the number of bytes that the available requests want, so that the source can get
     * them with one call.
     *
     * @param granted the number of bytes that the first request may get
     */
    private void beginTurn(long now, int granted) {
        inTurn = true;
        long expected = granted;
        if (!flow.isLimited()) {
            long wanted = (long) buffers.bytes() * queue.estimateAvailable(requestsLeft);
            expected = Math.max(expected, rateLimiter.grant(now, Math.min(wanted, bytesLeft)));
        }
        source.beginTurn((int) expected);
    }

    private void endTurn() {
        if (inTurn) {
            inTurn = false;
            source.endTurn();
        }
    }

    private void commit(long now) {
        rateLimiter.commit(now);
        flow.commit(now);
    }

    /** Serves requests until none is available, one of them has to wait, or a limit of this drain is reached. */
    private DrainResult serve(long now) {
        while (requestsLeft > 0) {
            if (!queue.hasAvailable()) {
                return DrainResult.EMPTY;
            }
            if (bytesLeft <= 0 || segmentsLeft <= 0 || descriptorsLeft <= 0) {
                return DrainResult.BUDGET_SPENT;
            }
            DrainResult stopped = serveOne(now);
            if (stopped != null) {
                return stopped;
            }
            requestsLeft--;
            descriptorsLeft -= buffers.descriptors();
        }
        return DrainResult.BUDGET_SPENT;
    }

    /**
     * Serves one request, as far as the limits of this drain permit. Returns null, or the reason why the request has to
     * wait.
     */
    private DrainResult serveOne(long now) {
        if (partlyFilled == 0) {
            recorder.requestSeen();
        }
        VirtqueueFault found = queue.peek(buffers);
        if (found != null) {
            flow.deactivate();
            return switch (found) {
                case IOTLB_MISS -> DrainResult.IOTLB_MISS;
                case HUGE_PAGE_MISS -> DrainResult.HUGE_PAGE_MISS;
                default -> broken(found);
            };
        }
        int from = alreadyFilled();
        long allowed = rateLimiter.grant(now, buffers.bytes() - from);
        if (allowed == 0) {
            return throttled(now);
        }
        long granted = flow.grant(now, allowed);
        if (granted == 0) {
            if (from == 0) {
                return awaitFlow(now);
            }
            completePartlyFilled(now, from);
            return null;
        }
        return fill(now, from, (int) granted);
    }

    /**
     * Returns the number of bytes of the peeked request that earlier drains have filled; 0 if it is not the same
     * request.
     */
    private int alreadyFilled() {
        return partlyFilled > 0 && buffers.fingerprint() == partlyFilledFingerprint ? partlyFilled : 0;
    }

    private DrainResult fill(long now, int from, int granted) {
        if (!inTurn) {
            beginTurn(now, granted);
        }
        queue.pop();
        int limit = rateLimited ? granted : Math.min(granted, budgetFrom(from));
        int filled = fillAndCharge(now, from, limit);
        return switch (filled) {
            case EntropySource.WOULD_BLOCK, EntropySource.FAILED -> {
                if (from > 0) {
                    complete(now, from);
                    yield null;
                }
                queue.undoPop();
                yield starved(now, filled);
            }
            case EntropySource.TARGET_FAULT -> broken(VirtqueueFault.MEMORY_GONE);
            default -> {
                buffers.logWrite(dirtyLogger, from, from + filled);
                bytesLeft -= filled;
                segmentsLeft -= filler.segmentsWritten();
                if (filled == limit && limit < granted) {
                    continueLater(from + filled);
                } else {
                    complete(now, from + filled);
                }
                yield null;
            }
        };
    }

    /**
     * Charges {@code limit} bytes, fills the buffers, and then refunds the bytes that were certainly not written. If
     * guest memory faults, all {@code limit} bytes stay charged, because any of them may have been written: otherwise a
     * front-end could evade the limit by truncating its memory during each request.
     */
    private int fillAndCharge(long now, int from, int limit) {
        if (rateLimited) {
            rateLimiter.reserve(now, limit);
            flow.reserve(now, limit);
            device.keep();
        }
        int charged = limit;
        try {
            int filled = filler.fill(from, limit);
            if (published != null) {
                published.sourceAnswered(filled);
            }
            if (filled != EntropySource.TARGET_FAULT) {
                charged = Math.max(filled, 0);
            }
            return filled;
        } finally {
            if (rateLimited || charged > 0) {
                charge(now, charged);
            }
        }
    }

    /** Returns the number of bytes from position {@code from} that the limits of this drain permit. */
    private int budgetFrom(int from) {
        return Math.min(bytesLeft, buffers.bytesInSegments(from, segmentsLeft));
    }

    /**
     * Leaves a partly filled request available for the next drain.
     *
     * @param filled the number of bytes filled so far
     */
    private void continueLater(int filled) {
        queue.undoPop();
        partlyFilled = filled;
        partlyFilledFingerprint = buffers.fingerprint();
    }

    /** Completes the request with the bytes that earlier drains have filled. */
    private void completePartlyFilled(long now, int filled) {
        queue.pop();
        complete(now, filled);
    }

    private void complete(long now, int filled) {
        partlyFilled = 0;
        starvedSince = NEVER;
        counters.served(filled);
        if (published != null) {
            published.served(now);
        }
        // VIRTIO 1.3 §5.4.6.1: the device MUST place one or more random bytes into the buffer, but MAY use less than
        // the entire buffer.
        queue.addUsed(filled);
        recorder.requestServed(filled);
    }

    private DrainResult throttled(long now) {
        recordThrottled(now);
        flow.deactivate();
        retryAt = rateLimiter.nextGrantTime();
        return DrainResult.THROTTLED;
    }

    private DrainResult starved(long now, int outcome) {
        recordStarved(now);
        if (starvedSince == NEVER) {
            starvedSince = now;
        }
        if (outcome == EntropySource.WOULD_BLOCK && source.isSharedByGuests()) {
            flow.sourceStarved(now);
        } else {
            flow.deactivate();
        }
        return parked();
    }

    /** Makes the request wait for the guest's share of the total rate limit or of the source. */
    private DrainResult awaitFlow(long now) {
        if (flow.isThrottledByTotal()) {
            recordThrottled(now);
        } else {
            recordStarved(now);
        }
        return parked();
    }

    private DrainResult parked() {
        retryAt = flow.retryAt();
        return DrainResult.STARVED;
    }

    private void recordThrottled(long now) {
        counters.throttled();
        if (published != null) {
            published.throttled(now);
        }
        recorder.requestThrottled();
    }

    private void recordStarved(long now) {
        counters.starved();
        if (published != null) {
            published.starved(now);
        }
        recorder.requestStarved();
    }

    private void charge(long now, int filled) {
        rateLimiter.charge(now, filled);
        flow.charge(now, filled);
    }

    private DrainResult broken(VirtqueueFault cause) {
        counters.fault();
        if (published != null) {
            published.faulted(RngFaultKind.of(cause));
        }
        fault = cause;
        return DrainResult.BROKEN;
    }

    @Override
    public String fault() {
        return fault.describe(memory);
    }

    @Override
    public long retryAt() {
        return retryAt;
    }

    @Override
    public void disabled() {
        flow.deactivate();
        endWait();
    }

    /** How long a request has been waiting for bytes of the source, in nanoseconds; 0 if none is. */
    long starvedNanos(long now) {
        return starvedSince == NEVER ? 0 : now - starvedSince;
    }

    private void endWait() {
        starvedSince = NEVER;
        if (published != null) {
            published.waitEnded();
        }
    }

    @Override
    public VirtqueuePosition position() {
        return queue.position();
    }

    @Override
    public VirtqueuePosition stop() {
        flow.deactivate();
        endWait();
        source.close();
        scratch.removeQueue();
        device.stopped();
        return queue.position();
    }
}
