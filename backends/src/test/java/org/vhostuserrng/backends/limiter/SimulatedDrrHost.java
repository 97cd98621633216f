package org.vhostuserrng.backends.limiter;

import java.util.ArrayList;
import java.util.List;

/**
 * A host in a time of its own: guests that ask again a moment after they were served, a total, a source that bytes come
 * to. Serves as a ring and its loop do: in turns, until there is nothing more or something has to be waited for.
 */
final class SimulatedDrrHost {
    static final long MICRO = 1000;
    static final long MILLI = 1000 * MICRO;
    private static final long STEP = 20 * MICRO;
    private static final int REQUESTS_A_TURN = 64;
    private static final long NO_LIMIT = Long.MAX_VALUE / 2;

    private final DeficitRoundRobin fair;
    private final List<SimulatedGuest> guests = new ArrayList<>();
    private double sourceBytes = NO_LIMIT;
    private double sourcePerNano;
    private int poolBytes;
    private boolean woken;
    private int turns;
    long now;
    long served;

    SimulatedDrrHost(RateLimitConfig total) {
        fair = new DeficitRoundRobin(total, () -> woken = true);
    }

    /** Bytes come at a rate, and wait in a pool of some size. */
    SimulatedDrrHost withSource(long bytesASecond, int pool) {
        sourceBytes = 0;
        sourcePerNano = bytesASecond / 1e9;
        poolBytes = pool;
        return this;
    }

    /** A guest that asks as soon as it can. */
    SimulatedGuest guest(DrrGuestConfig claim, RateLimitConfig limits, int depth, int request, long turnaround) {
        SimulatedGuest guest = new SimulatedGuest(claim, limits, depth, request, turnaround);
        guests.add(guest);
        return guest;
    }

    SimulatedGuest guest(int weight) {
        return guest(new DrrGuestConfig(weight, 0), RateLimitConfig.NONE, 1, 64, 100 * MICRO);
    }

    void run(long nanos) {
        for (long end = now + nanos; now < end; now += STEP) {
            boolean all = woken || arrive();
            woken = false;
            turns++;
            for (int i = 0; i < guests.size(); i++) {
                guests.get((i + turns % 7) % guests.size()).turn(all);
            }
        }
    }

    /** Whether there are bytes again. */
    private boolean arrive() {
        boolean dry = sourceBytes < 1;
        if (sourcePerNano > 0) {
            sourceBytes = Math.min(poolBytes, sourceBytes + sourcePerNano * STEP);
        }
        return dry && sourceBytes >= 1;
    }

    /** A guest and its ring. */
    final class SimulatedGuest {
        final DrrGuestFlow share;
        private final GuestRateLimiter quota;
        private final int request;
        private final long turnaround;
        private final long[] readyAt;
        boolean idle;
        /** Its source is another one, which has nothing. */
        boolean dry;

        long bytes;
        long longestWait;
        private long retryAt;
        private long waitsSince = -1;

        private SimulatedGuest(DrrGuestConfig claim, RateLimitConfig limits, int depth, int request, long turnaround) {
            this.share = fair.share(claim);
            this.quota = new GuestRateLimiter(limits);
            this.request = request;
            this.turnaround = turnaround;
            this.readyAt = new long[depth];
        }

        private void turn(boolean all) {
            boolean inLine = share.awaited != DrrGuestFlow.Awaited.NOTHING;
            if (idle || (now < retryAt && !(all && inLine))) {
                return;
            }
            retryAt = 0;
            serve();
            fair.settle(now);
            quota.settle(now);
        }

        private void serve() {
            int requests = 0;
            for (int i = 0; i < readyAt.length; i++) {
                if (readyAt[i] <= now) {
                    if (requests++ == REQUESTS_A_TURN || !serveOne()) {
                        return;
                    }
                    readyAt[i] = now + turnaround;
                }
            }
            share.pause(now);
        }

        private boolean serveOne() {
            if (waitsSince < 0) {
                waitsSince = now;
            }
            long allowed = quota.grant(now, request);
            if (allowed == 0) {
                share.rest();
                retryAt = quota.nextRefill();
                return false;
            }
            long granted = share.grant(now, allowed);
            if (granted > 0 && (dry || sourceBytes < 1)) {
                share.starved(now);
                granted = 0;
            }
            if (granted == 0) {
                // The loop's own.
                retryAt = Math.min(now + 1000 * MILLI, share.retryAt());
                return false;
            }
            long given = (long) Math.min((double) granted, sourceBytes);
            sourceBytes -= sourcePerNano > 0 ? given : 0;
            quota.charge(now, given);
            share.charge(now, given);
            bytes += given;
            served += given;
            longestWait = Math.max(longestWait, now - waitsSince);
            waitsSince = -1;
            return true;
        }
    }
}
