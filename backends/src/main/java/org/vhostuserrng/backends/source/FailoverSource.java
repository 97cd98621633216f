package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * A failover list that was opened for one guest. Each request tries the sources in order of preference, and continues
 * with the next one if a source fails or has stalled. So a source that recovers is used again. A source is opened when
 * it is first needed. Confined to the event loop's thread.
 */
final class FailoverSource implements EntropySource {
    /**
     * Time after a request without bytes from a source after which the source counts as stalled, until it returns
     * bytes.
     */
    private static final long STALL_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long NEVER = -1;

    private final FailoverSourceState state;
    private final FailoverSourceSpec spec;
    private final SourceRegistry registry;
    private final String guest;
    private final EntropySource[] open;
    private final long[] waitingSince;
    private int activeIndex;

    /** Creates the source, and opens the first one in the list. */
    FailoverSource(FailoverSourceSpec spec, SourceRegistry registry, String guest) {
        this.spec = spec;
        this.registry = registry;
        this.guest = guest;
        this.open = new EntropySource[spec.sources().size()];
        this.waitingSince = new long[open.length];
        this.state = registry.failoverState(spec);
        this.activeIndex = state.activeIndex();
        Arrays.fill(waitingSince, NEVER);
        source(0);
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int result = FAILED;
        for (int i = 0; i < open.length; i++) {
            int filled = source(i).fill(target, offset, length);
            if (filled > 0) {
                recordServed(i);
                return filled;
            }
            if (filled == TARGET_FAULT) {
                return filled;
            }
            if (filled == WOULD_BLOCK) {
                result = WOULD_BLOCK;
                if (!hasStalled(i)) {
                    return WOULD_BLOCK;
                }
            }
        }
        return result;
    }

    /** {@inheritDoc} A source that is opened later in the turn does not get the estimate. */
    @Override
    public void beginTurn(int expectedBytes) {
        for (EntropySource source : open) {
            if (source != null) {
                source.beginTurn(expectedBytes);
            }
        }
    }

    @Override
    public void endTurn() {
        for (EntropySource source : open) {
            if (source != null) {
                source.endTurn();
            }
        }
    }

    @Override
    public boolean isSharedByGuests() {
        return open[activeIndex].isSharedByGuests();
    }

    private void recordServed(int index) {
        waitingSince[index] = NEVER;
        state.setStalled(index, false);
        // Records only changes of this guest, because guests may use different sources: one whose DRBG is not seeded
        // yet uses a fallback.
        if (index != activeIndex) {
            activeIndex = index;
            registry.recordFailover(state, index);
        }
    }

    private boolean hasStalled(int index) {
        if (state.isStalled(index)) {
            return true;
        }
        long now = registry.clock().getAsLong();
        if (waitingSince[index] == NEVER) {
            waitingSince[index] = now;
        }
        boolean isStalled = now - waitingSince[index] >= STALL_TIMEOUT_NANOS;
        state.setStalled(index, isStalled);
        return isStalled;
    }

    private EntropySource source(int i) {
        if (open[i] == null) {
            open[i] = spec.sources().get(i).open(registry, guest);
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
