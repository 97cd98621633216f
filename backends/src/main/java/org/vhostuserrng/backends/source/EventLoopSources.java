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
 * All the sources of a loop: what {@code --source} names, and whatever that is made of. Confined to the loop's thread.
 */
public final class EventLoopSources {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoopSources.class);

    private final EntropySourceSpec spec;
    private final Runnable onBytes;
    private final LongSupplier clock;
    /** By their identity, so that a file in two expressions is read by one; kept for what they remember. */
    private final Map<String, SharedEntropySource> shared = new HashMap<>();

    private final Map<Class<?>, Object> loopState = new HashMap<>();
    private final IdentityHashMap<FailoverSourceSpec, FailoverSourceState> failoverStates = new IdentityHashMap<>();
    private long failovers;

    /**
     * Sources of which none is open yet.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     * @param clock nanoseconds that do not run backwards
     */
    public EventLoopSources(EntropySourceSpec spec, Runnable onBytes, LongSupplier clock) {
        this.spec = spec;
        this.onBytes = onBytes;
        this.clock = clock;
    }

    /** What a guest's ring uses from its start on; to be closed at its stop. */
    public EntropySource acquire(String guest) {
        return spec.open(this, guest);
    }

    /** What went wrong with the sources so far, in a few words for a log; empty if nothing did. */
    public String statistics() {
        String wrong = shared.values().stream()
                .map(SharedEntropySource::statistics)
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("; "));
        String changes = failovers == 0 ? "" : failovers + " times another source served than before";
        return wrong + (wrong.isEmpty() || changes.isEmpty() ? "" : "; ") + changes;
    }

    /** How often another source than before had to serve, as that one had failed or had recovered. */
    public long failovers() {
        return failovers;
    }

    /** Counts one more user of a source in. */
    EntropySource share(SharedSourceSpec source) {
        return shared.computeIfAbsent(source.identity(), _ -> new SharedEntropySource(source, onBytes))
                .acquire();
    }

    /** What the guests of the loop know of several sources in order. */
    FailoverSourceState failoverState(FailoverSourceSpec several) {
        return failoverStates.computeIfAbsent(several, _ -> new FailoverSourceState(several));
    }

    /** Tells which of several sources serves now, once each time that changes. */
    void serves(FailoverSourceState several, int place) {
        if (several.changeTo(place)) {
            failovers++;
            LOG.warn("{} serves now", several.source(place));
        }
    }

    /** The one instance of {@code type} that all sources of this loop share; created at the first call. */
    public <T> T perLoop(Class<T> type, Supplier<T> factory) {
        return type.cast(loopState.computeIfAbsent(type, _ -> factory.get()));
    }

    /** Nanoseconds; never run backwards. */
    public LongSupplier clock() {
        return clock;
    }
}
