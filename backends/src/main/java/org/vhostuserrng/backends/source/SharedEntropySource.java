package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reference-counted source: {@link #acquire} adds a user, {@link #close} removes one. The source is open while it has
 * users. Confined to the event loop's thread.
 */
final class SharedEntropySource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(SharedEntropySource.class);

    private final SharedSourceSpec spec;
    private final Runnable onReadable;
    private final LongSupplier clock;
    private final SilentSourceLog silence = new SilentSourceLog();
    private final VmForkDetector forkDetector;
    private EntropySource source;
    private int seenForks;
    private boolean inTurn;
    private int users;
    private boolean failureLogged;

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
        if (source == null) {
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

    @Override
    public int fill(MemorySegment target, long offset, int length) {
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
        if (users == 0 && source != null) {
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
