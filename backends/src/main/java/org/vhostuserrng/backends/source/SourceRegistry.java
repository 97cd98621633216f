package org.vhostuserrng.backends.source;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open sources of one event loop: the source that {@code --source} names, its components, and the state that they
 * share. Confined to the loop's thread.
 */
public final class SourceRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(SourceRegistry.class);

    private final EntropySourceSpec spec;
    private final Runnable onReadable;
    private final LongSupplier clock;
    /** By deduplication key. An entry remains after its last user has closed it, because it counts errors. */
    private final Map<String, SharedEntropySource> shared = new HashMap<>();

    private final Map<Class<?>, Object> loopState = new HashMap<>();
    private final IdentityHashMap<FailoverSourceSpec, FailoverSourceState> failoverStates = new IdentityHashMap<>();
    private long failoverCount;

    /**
     * Creates a registry without open sources.
     *
     * @param onReadable called by any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @param clock monotonic time in nanoseconds
     */
    public SourceRegistry(EntropySourceSpec spec, Runnable onReadable, LongSupplier clock) {
        this.spec = spec;
        this.onReadable = onReadable;
        this.clock = clock;
    }

    /** Opens the source for a guest's ring; the ring closes it when it stops. */
    public EntropySource open(String guest) {
        return spec.open(this, guest);
    }

    /** Counts of errors and failovers, for a log line; empty if there were none. */
    public String statistics() {
        String errors = shared.values().stream()
                .map(SharedEntropySource::statistics)
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("; "));
        String failovers = failoverCount == 0 ? "" : "failovers: " + failoverCount;
        return errors + (errors.isEmpty() || failovers.isEmpty() ? "" : "; ") + failovers;
    }

    /**
     * Number of times that a failover list switched to another source because a preferred one had failed or recovered.
     */
    public long failoverCount() {
        return failoverCount;
    }

    /** Opens a shared source, or adds a user to it. */
    EntropySource openShared(SharedSourceSpec source) {
        return shared.computeIfAbsent(source.deduplicationKey(), _ -> new SharedEntropySource(source, onReadable))
                .acquire();
    }

    /** Records which source of a failover list is in use; logs and counts changes. */
    void recordFailover(FailoverSourceState state, int index) {
        if (state.switchTo(index)) {
            failoverCount++;
            LOG.warn("{} serves now", state.source(index));
        }
    }

    /** The failover state that all guests of this loop share. */
    FailoverSourceState failoverState(FailoverSourceSpec failover) {
        return failoverStates.computeIfAbsent(failover, _ -> new FailoverSourceState(failover));
    }

    /** The one instance of {@code type} that the sources of this loop share, created by the first call. */
    public <T> T perLoop(Class<T> type, Supplier<T> factory) {
        return type.cast(loopState.computeIfAbsent(type, _ -> factory.get()));
    }

    /** Monotonic time in nanoseconds. */
    public LongSupplier clock() {
        return clock;
    }
}
