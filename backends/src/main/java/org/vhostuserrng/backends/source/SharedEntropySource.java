package org.vhostuserrng.backends.source;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One source for all who use it: open while at least one does. {@link #acquire} counts a user in, {@link #close} one
 * out. Confined to the loop's thread.
 */
final class SharedEntropySource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(SharedEntropySource.class);

    private final SharedSourceSpec spec;
    private final Runnable onBytes;
    private EntropySource source;
    private int users;
    private boolean failureLogged;

    /**
     * A source that is not open yet.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     */
    SharedEntropySource(SharedSourceSpec spec, Runnable onBytes) {
        this.spec = spec;
        this.onBytes = onBytes;
    }

    /** Counts a user in; the first one opens the source. If that fails it is tried again with each {@link #fill}. */
    EntropySource acquire() {
        users++;
        if (source == null) {
            open();
        }
        return this;
    }

    /** What went wrong, with the source's name; empty if nothing did. */
    String statistics() {
        String wrong = spec.statistics();
        return wrong.isEmpty() ? "" : spec + " " + wrong;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (source == null && !open()) {
            return FAILED;
        }
        return source.fill(target, offset, length);
    }

    @Override
    public boolean isShared() {
        return true;
    }

    /** Counts a user out; with the last one the source is closed. */
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
            source = spec.open(onBytes);
            failureLogged = false;
            return true;
        } catch (IOException refused) {
            if (!failureLogged) {
                failureLogged = true;
                LOG.error("{}: cannot be opened: {}; tried again while guests wait", spec, refused.getMessage());
            }
            return false;
        }
    }
}
