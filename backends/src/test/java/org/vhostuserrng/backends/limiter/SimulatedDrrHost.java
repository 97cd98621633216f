package org.vhostuserrng.backends.limiter;

import java.util.ArrayList;
import java.util.List;

/**
 * Simulates guests that share a total and a source, in simulated time. A guest makes its next request a fixed time
 * after the previous one was served. As in an event loop, a dispatch serves a ring until the ring is empty or has to
 * wait.
 */
final class SimulatedDrrHost {
    static final long MICRO = 1000;
    static final long MILLI = 1000 * MICRO;
    private static final long STEP = 20 * MICRO;
    private static final int REQUESTS_PER_DISPATCH = 64;
    private static final long NO_LIMIT = Long.MAX_VALUE / 2;

    private final DeficitRoundRobin scheduler;
    private final List<SimulatedGuest> guests = new ArrayList<>();
    private double sourceBytes = NO_LIMIT;
    private double sourcePerNano;
    private int poolBytes;
    private boolean woken;
    private int dispatches;
    long now;
    long served;

    SimulatedDrrHost(RateLimitConfig total) {
        scheduler = new DeficitRoundRobin(total, () -> woken = true);
    }

    /** Uses a source that produces bytes at a fixed rate, into a pool of limited size. */
    SimulatedDrrHost withSource(long bytesPerSecond, int pool) {
        sourceBytes = 0;
        sourcePerNano = bytesPerSecond / 1e9;
        poolBytes = pool;
        return this;
    }

    /** Adds a guest that always has requests. */
    SimulatedGuest guest(DrrGuestConfig config, RateLimitConfig limits, int depth, int request, long turnaround) {
        SimulatedGuest guest = new SimulatedGuest(config, limits, depth, request, turnaround);
        guests.add(guest);
        return guest;
    }

    SimulatedGuest guest(int weight) {
        return guest(new DrrGuestConfig(weight, 0), RateLimitConfig.NONE, 1, 64, 100 * MICRO);
    }

    void run(long nanos) {
        for (long end = now + nanos; now < end; now += STEP) {
            boolean notified = woken || refillSource();
            woken = false;
            dispatches++;
            for (int i = 0; i < guests.size(); i++) {
                guests.get((i + dispatches % 7) % guests.size()).dispatch(notified);
            }
        }
    }

    /** Adds the bytes of one step. Returns whether a starved source has bytes again. */
    private boolean refillSource() {
        boolean wasStarved = sourceBytes < 1;
        if (sourcePerNano > 0) {
            sourceBytes = Math.min(poolBytes, sourceBytes + sourcePerNano * STEP);
        }
        return wasStarved && sourceBytes >= 1;
    }

    /** A guest and its ring. */
    final class SimulatedGuest {
        final DrrGuestFlow flow;
        private final GuestRateLimiter limiter;
        private final int request;
        private final long turnaround;
        private final long[] readyAt;
        boolean idle;
        /** Whether the guest uses another source, which is starved. */
        boolean otherSourceStarved;

        long bytes;
        long longestWait;
        private long retryAt;
        private long waitsSince = -1;

        private SimulatedGuest(DrrGuestConfig config, RateLimitConfig limits, int depth, int request, long turnaround) {
            this.flow = scheduler.addFlow(config);
            this.limiter = new GuestRateLimiter(limits);
            this.request = request;
            this.turnaround = turnaround;
            this.readyAt = new long[depth];
        }

        private void dispatch(boolean notified) {
            boolean isWaiting = flow.waitingFor != DrrGuestFlow.WaitReason.NONE;
            if (idle || (now < retryAt && !(notified && isWaiting))) {
                return;
            }
            retryAt = 0;
            serve();
            scheduler.commit(now);
            limiter.commit(now);
        }

        private void serve() {
            int requests = 0;
            for (int i = 0; i < readyAt.length; i++) {
                if (readyAt[i] <= now) {
                    if (requests++ == REQUESTS_PER_DISPATCH || !serveOne()) {
                        return;
                    }
                    readyAt[i] = now + turnaround;
                }
            }
            flow.stopWaiting(now);
        }

        private boolean serveOne() {
            if (waitsSince < 0) {
                waitsSince = now;
            }
            long allowed = limiter.grant(now, request);
            if (allowed == 0) {
                flow.deactivate();
                retryAt = limiter.nextGrantTime();
                return false;
            }
            long granted = flow.grant(now, allowed);
            if (granted > 0 && (otherSourceStarved || sourceBytes < 1)) {
                flow.sourceStarved(now);
                granted = 0;
            }
            if (granted == 0) {
                // The event loop retries after a second at the latest.
                retryAt = Math.min(now + 1000 * MILLI, flow.retryAt());
                return false;
            }
            long filled = (long) Math.min((double) granted, sourceBytes);
            sourceBytes -= sourcePerNano > 0 ? filled : 0;
            limiter.charge(now, filled);
            flow.charge(now, filled);
            bytes += filled;
            served += filled;
            longestWait = Math.max(longestWait, now - waitsSince);
            waitsSince = -1;
            return true;
        }
    }
}
