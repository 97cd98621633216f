package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * Several sources in order for one guest: each request goes to the first that serves, and to the next one if it has
 * failed, or has kept the guest waiting too long. So a source that serves again is returned to by itself. One that was
 * never needed is never opened.
 */
final class FailoverSource implements EntropySource {
    /** A source that gives nothing for so long, though it was asked, counts as failed until it gives something. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long NEVER = -1;

    private final FailoverSourceState state;
    private final FailoverSourceSpec spec;
    private final EventLoopSources sources;
    private final String guest;
    private final EntropySource[] open;
    private final long[] waitingSince;
    private int last;

    /** None is open yet. */
    FailoverSource(FailoverSourceSpec spec, EventLoopSources sources, String guest) {
        this.spec = spec;
        this.sources = sources;
        this.guest = guest;
        this.open = new EntropySource[spec.inOrder().size()];
        this.waitingSince = new long[open.length];
        this.state = sources.failoverState(spec);
        this.last = state.serving();
        Arrays.fill(waitingSince, NEVER);
        source(0);
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int outcome = FAILED;
        for (int i = 0; i < open.length; i++) {
            int filled = source(i).fill(target, offset, length);
            if (filled > 0) {
                served(i);
                return filled;
            }
            if (filled == TARGET_GONE) {
                return filled;
            }
            if (filled == NOT_NOW) {
                outcome = NOT_NOW;
                if (!isOutOfPatience(i)) {
                    return NOT_NOW;
                }
            }
        }
        return outcome;
    }

    @Override
    public boolean isShared() {
        return open[last].isShared();
    }

    private void served(int place) {
        waitingSince[place] = NEVER;
        state.setStalled(place, false);
        // A guest whose drbg is not seeded yet has another source than the others: that is no change to tell of each
        // time.
        if (place != last) {
            last = place;
            sources.serves(state, place);
        }
    }

    private boolean isOutOfPatience(int place) {
        if (state.isStalled(place)) {
            return true;
        }
        long now = sources.clock().getAsLong();
        if (waitingSince[place] == NEVER) {
            waitingSince[place] = now;
        }
        boolean isStalled = now - waitingSince[place] >= PATIENCE_NANOS;
        state.setStalled(place, isStalled);
        return isStalled;
    }

    private EntropySource source(int i) {
        if (open[i] == null) {
            open[i] = spec.inOrder().get(i).open(sources, guest);
        }
        return open[i];
    }

    @Override
    public void close() {
        for (EntropySource source : open) {
            if (source != null) {
                source.close();
            }
        }
    }
}
