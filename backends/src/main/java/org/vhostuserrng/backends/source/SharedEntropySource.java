package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reference-counted source: {@link #acquire} adds a user, {@link #close} removes one. It is open while it has users
 * and is not quarantined, and while its start-up tests run on request. Confined to the event loop's thread.
 */
final class SharedEntropySource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(SharedEntropySource.class);

    private final SharedSourceSpec spec;
    private final Runnable onReadable;
    private final LongSupplier clock;
    private final SourceStallLog silence = new SourceStallLog();
    private final VmForkDetector forkDetector;
    private EntropySource source;
    private int seenForks;
    private boolean inTurn;
    private int users;
    private boolean failureLogged;
    private boolean quarantined;
    /** Whether the source has provided nothing since it was released: it has not passed its start-up tests yet. */
    private boolean untestedSinceRelease;
    /** Whether start-up tests run on request. */
    private boolean testing;
    /** The result of the last fill. */
    private int lastFilled = 1;

    /**
     * Creates a source that is not open.
     *
     * @param onReadable called on any thread when bytes are available again after {@link EntropySource#WOULD_BLOCK}
     * @param clock returns a monotonic time in nanoseconds
     */
    SharedEntropySource(SharedSourceSpec spec, Runnable onReadable, LongSupplier clock, VmForkDetector forkDetector) {
        this.spec = spec;
        this.onReadable = onReadable;
        this.clock = clock;
        this.forkDetector = forkDetector;
    }

    /** Adds a user. Opens the source for the first one. If this fails, each {@link #fill} retries. */
    EntropySource acquire() {
        users++;
        if (source == null && !quarantined) {
            open();
        }
        return this;
    }

    @Override
    public String toString() {
        return spec.toString();
    }

    /** Describes the source and its counts of errors for a log line; empty if there were no errors. */
    String statistics() {
        String counts = spec.statistics();
        return counts.isEmpty() ? "" : spec + ": " + counts;
    }

    SourceFailureCounts failures() {
        return spec.failures();
    }

    /** Like {@link SharedSourceSpec#awaitClosed}. */
    boolean awaitClosed(long nanos) {
        return spec.awaitClosed(nanos);
    }

    SourceStatus status() {
        return new SourceStatus(spec.toString(), state(), users, spec.failures());
    }

    private SourceStatus.State state() {
        if (quarantined) {
            return SourceStatus.State.QUARANTINED;
        }
        if (users == 0) {
            return SourceStatus.State.UNUSED;
        }
        if (source != null && source.hasFailedHealthTest()) {
            return SourceStatus.State.FAILED_HEALTH_TESTS;
        }
        if (silence.isLong(clock.getAsLong())) {
            return SourceStatus.State.SILENT;
        }
        return switch (lastFilled) {
            case FAILED -> SourceStatus.State.FAILED;
            case WOULD_BLOCK -> SourceStatus.State.EMPTY;
            default -> SourceStatus.State.SERVES;
        };
    }

    /**
     * Keeps the source from serving, or lets it serve again. A quarantined source is closed, so that it begins with its
     * start-up tests when it is released.
     */
    void setQuarantined(boolean nowQuarantined) {
        untestedSinceRelease |= quarantined && !nowQuarantined;
        quarantined = nowQuarantined;
        if (!quarantined) {
            lastFilled = 1;
            onReadable.run();
        }
        closeIfUnneeded();
    }

    /**
     * Runs the start-up tests on fresh bytes, until {@link #endStartupTests}.
     *
     * @param onDone as in {@link EntropySource#startStartupTests}; also called if the source cannot be opened
     * @return false if the source has no health tests
     * @throws IllegalStateException if they are already running
     */
    boolean beginStartupTests(Consumer<String> onDone) {
        if (testing) {
            throw new IllegalStateException("its start-up tests are already running");
        }
        testing = true;
        if (source == null && !open()) {
            onDone.accept("it cannot be opened");
            return true;
        }
        return source.startStartupTests(onDone);
    }

    /** Ends the start-up tests that were requested. */
    void endStartupTests() {
        if (testing) {
            testing = false;
            if (source != null) {
                source.cancelStartupTests();
            }
            closeIfUnneeded();
        }
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        lastFilled = quarantined ? FAILED : fillFromSource(target, offset, length);
        if (untestedSinceRelease) {
            if (lastFilled == WOULD_BLOCK) {
                // A fallback serves until the start-up tests have passed, without the wait for a stalled source.
                lastFilled = FAILED;
            }
            untestedSinceRelease = lastFilled <= 0;
        }
        return lastFilled;
    }

    private int fillFromSource(MemorySegment target, long offset, int length) {
        if (source == null && !open()) {
            return FAILED;
        }
        if (!inTurn) {
            pollForForks();
        }
        if (forkDetector.forks() != seenForks) {
            seenForks = forkDetector.forks();
            source.discardAhead();
        }
        int filled = source.fill(target, offset, length);
        if (filled <= 0 || silence.isSilent()) {
            recordSilence(filled);
        }
        return filled;
    }

    private void recordSilence(int filled) {
        if (filled > 0) {
            if (silence.served()) {
                silence.logEnd(spec);
            }
        } else if (filled == WOULD_BLOCK || source.answersAfterFailure()) {
            if (silence.starved(clock.getAsLong())) {
                silence.logSilence(spec, source);
            }
        } else {
            silence.failed();
        }
    }

    private void pollForForks() {
        if (source.readsAhead()) {
            forkDetector.poll();
        }
    }

    @Override
    public void beginTurn(int expectedBytes) {
        if (source != null) {
            inTurn = true;
            pollForForks();
            source.beginTurn(expectedBytes);
        }
    }

    @Override
    public void endTurn() {
        inTurn = false;
        if (source != null) {
            source.endTurn();
        }
    }

    @Override
    public boolean isSharedByGuests() {
        return true;
    }

    /** Removes a user. Closes the source after the last one. */
    @Override
    public void close() {
        users--;
        closeIfUnneeded();
    }

    private void closeIfUnneeded() {
        boolean needed = testing || (users > 0 && !quarantined);
        if (!needed && source != null) {
            source.close();
            source = null;
        }
    }

    private boolean open() {
        try {
            source = spec.open(onReadable);
            seenForks = forkDetector.forks();
            if (failureLogged) {
                failureLogged = false;
                LOG.warn("{}: can be opened again", spec);
            }
            return true;
        } catch (IOException refused) {
            if (!failureLogged) {
                failureLogged = true;
                LOG.error("{}: cannot be opened: {}; retrying while guests wait", spec, refused.getMessage());
            }
            return false;
        }
    }
}
