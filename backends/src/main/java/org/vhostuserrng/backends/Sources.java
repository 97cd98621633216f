package org.vhostuserrng.backends;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All the sources of a loop: what {@code --source} names, and whatever that is made of. Confined to the loop's thread.
 */
public final class Sources {
    private static final Logger LOG = LoggerFactory.getLogger(Sources.class);

    private final SourceSpec spec;
    private final Runnable onBytes;
    private final LongSupplier clock;
    /** By their identity, so that a file in two expressions is read by one; kept for what they remember. */
    private final Map<String, SharedSource> shared = new HashMap<>();

    /** None before it is needed. */
    private DrbgWorkspace drbgs;

    private final IdentityHashMap<FailoverSpec, FailoverState> failoverStates = new IdentityHashMap<>();
    private long failovers;

    /**
     * Sources of which none is open yet.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     * @param clock nanoseconds that do not run backwards
     */
    public Sources(SourceSpec spec, Runnable onBytes, LongSupplier clock) {
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
                .map(SharedSource::statistics)
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
    EntropySource share(SharedSpec source) {
        return shared.computeIfAbsent(source.identity(), _ -> new SharedSource(source, onBytes))
                .acquire();
    }

    /** What the guests of the loop know of several sources in order. */
    FailoverState failoverState(FailoverSpec several) {
        return failoverStates.computeIfAbsent(several, _ -> new FailoverState(several));
    }

    /** Tells which of several sources serves now, once each time that changes. */
    void serves(FailoverState several, int place) {
        if (several.changeTo(place)) {
            failovers++;
            LOG.warn("{} serves now", several.source(place));
        }
    }

    /** What the DRBGs of the loop share. */
    DrbgWorkspace drbgs() {
        if (drbgs == null) {
            drbgs = new DrbgWorkspace(AesProvider.best());
        }
        return drbgs;
    }

    LongSupplier clock() {
        return clock;
    }
}
