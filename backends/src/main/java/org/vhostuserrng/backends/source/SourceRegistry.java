package org.vhostuserrng.backends.source;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.LogLineLimiter;

/**
 * The sources of one event loop: those of {@code --source} and of single guests, their components, and the state that
 * they share. Confined to the loop's thread.
 */
public final class SourceRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(SourceRegistry.class);
    private static final int MAX_FAILOVER_LINES_PER_MINUTE = 20;

    /** Returns the source of the guest with a name. */
    private Function<String, EntropySourceSpec> specs;

    private final Runnable onReadable;
    private final LongSupplier clock;
    private final VmForkDetector forkDetector;
    /**
     * The shared sources by deduplication key. A source remains in the map after its last user has closed it, because
     * it counts errors.
     */
    private final Map<String, SharedEntropySource> shared = new HashMap<>();

    private final Map<Class<?>, Object> loopState = new HashMap<>();
    private final IdentityHashMap<FailoverSourceSpec, FailoverSourceState> failoverStates = new IdentityHashMap<>();
    private final LogLineLimiter failoverLines;
    private long failoverCount;

    /**
     * Creates a registry without open sources, which does not detect forks of the virtual machine.
     *
     * @param onReadable called by any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @param clock returns a monotonic time in nanoseconds
     */
    public SourceRegistry(EntropySourceSpec spec, Runnable onReadable, LongSupplier clock) {
        this(spec, onReadable, clock, () -> VmForkClocks.NONE);
    }

    /**
     * Creates a registry without open sources.
     *
     * @param onReadable called by any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @param clock returns a monotonic time in nanoseconds
     * @param forkClocks opens the clocks that show a fork of the virtual machine; called when a source first needs them
     */
    public SourceRegistry(
            EntropySourceSpec spec, Runnable onReadable, LongSupplier clock, Supplier<VmForkClocks> forkClocks) {
        this(_ -> spec, onReadable, clock, forkClocks);
    }

    /**
     * Like {@link #SourceRegistry(EntropySourceSpec, Runnable, LongSupplier, Supplier)}, with a source for each guest.
     *
     * @param specs the source of a guest, by its name
     */
    public SourceRegistry(
            Function<String, EntropySourceSpec> specs,
            Runnable onReadable,
            LongSupplier clock,
            Supplier<VmForkClocks> forkClocks) {
        this.specs = specs;
        this.onReadable = onReadable;
        this.clock = clock;
        this.failoverLines = new LogLineLimiter(MAX_FAILOVER_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
        this.forkDetector = new VmForkDetector(forkClocks);
    }

    /**
     * Replaces the sources that are opened from now on.
     *
     * @param newSpecs the source of a guest, by its name
     */
    public void setSources(Function<String, EntropySourceSpec> newSpecs) {
        specs = newSpecs;
    }

    /** Returns the source that is opened for a guest. */
    public EntropySourceSpec source(String guest) {
        return specs.apply(guest);
    }

    /** Opens the source for a guest's virtqueue, which closes the source when it stops. */
    public EntropySource open(String guest) {
        return specs.apply(guest).open(this, guest);
    }

    /**
     * Waits at most {@code nanos} until all sources, which must be closed, have released their files, devices and child
     * processes.
     */
    public void awaitClosed(long nanos) {
        long deadline = System.nanoTime() + nanos;
        shared.values().forEach(SharedEntropySource::endStartupTests);
        for (SharedEntropySource source : shared.values()) {
            if (!source.awaitClosed(deadline - System.nanoTime())) {
                LOG.warn("{}: not closed in time; stopping without it", source);
            }
        }
    }

    /** Describes the counts of errors and failovers for a log line; empty if there were none. */
    public String statistics() {
        String errors = shared.values().stream()
                .map(SharedEntropySource::statistics)
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("; "));
        String failovers = failoverCount == 0 ? "" : "failovers: " + failoverCount;
        return errors + (errors.isEmpty() || failovers.isEmpty() ? "" : "; ") + failovers;
    }

    /** Returns the counts of errors of all sources together. */
    public SourceFailureCounts failures() {
        return shared.values().stream()
                .map(SharedEntropySource::failures)
                .reduce(SourceFailureCounts.NONE, SourceFailureCounts::plus);
    }

    /**
     * The number of times that a failover list switched to another source, because a source had failed or recovered.
     */
    public long failoverCount() {
        return failoverCount;
    }

    /** Returns the status of a source. */
    public SourceStatus status(SharedSourceSpec source) {
        return shared(source).status();
    }

    /** Returns the status of each source that has a user. */
    public List<SourceStatus> inUse() {
        return shared.values().stream()
                .map(SharedEntropySource::status)
                .filter(status -> status.users() > 0)
                .toList();
    }

    /** The number of sources with users that serve nothing because of a health test or a quarantine. */
    public long quarantinedCount() {
        return inUse().stream().filter(status -> status.state().isQuarantined()).count();
    }

    /**
     * Keeps a source from serving, or lets it serve again. A source that is released serves as soon as it has passed
     * its start-up tests, if it has any. Also applies if the source is opened later.
     */
    public void setQuarantined(SharedSourceSpec source, boolean quarantined) {
        shared(source).setQuarantined(quarantined);
    }

    /**
     * Runs the start-up health tests of a source on fresh bytes, which are discarded, until {@link #endStartupTests}.
     * Opens a source that is not in use or quarantined.
     *
     * @param onDone called once by any thread, with null or with the reason of the failure
     * @return false if the source has no health tests; {@code onDone} is not called then
     * @throws IllegalStateException if they are already running
     */
    public boolean beginStartupTests(SharedSourceSpec source, Consumer<String> onDone) {
        return shared(source).beginStartupTests(onDone);
    }

    /** Must follow {@link #beginStartupTests}. Without a result, the tests are abandoned. */
    public void endStartupTests(SharedSourceSpec source) {
        shared(source).endStartupTests();
    }

    /** Opens a shared source, or adds a user to it. */
    EntropySource openShared(SharedSourceSpec source) {
        return shared(source).acquire();
    }

    private SharedEntropySource shared(SharedSourceSpec source) {
        return shared.computeIfAbsent(
                source.deduplicationKey(), _ -> new SharedEntropySource(source, onReadable, clock, forkDetector));
    }

    /** Records the source of a failover list that serves now. Logs and counts a change. */
    void recordFailover(FailoverSourceState state, int index) {
        if (state.switchTo(index)) {
            failoverCount++;
            long suppressed = failoverLines.takeSuppressed();
            if (suppressed > 0) {
                LOG.warn("failovers: {} more lines suppressed", suppressed);
            }
            if (failoverLines.mayWrite()) {
                LOG.warn("{} serves now", state.source(index));
            }
        }
    }

    /** Returns the state of a failover list, which all guests of this loop share. */
    FailoverSourceState failoverState(FailoverSourceSpec failover) {
        return failoverStates.computeIfAbsent(failover, _ -> new FailoverSourceState(failover));
    }

    /** Returns the instance of {@code type} that the sources of this loop share. The first call creates it. */
    public <T> T perLoop(Class<T> type, Supplier<T> factory) {
        return type.cast(loopState.computeIfAbsent(type, _ -> factory.get()));
    }

    /** The monotonic clock, which returns nanoseconds. */
    public LongSupplier clock() {
        return clock;
    }

    /** The detector of forks of the virtual machine for all sources of this loop. */
    public VmForkDetector forkDetector() {
        return forkDetector;
    }
}
