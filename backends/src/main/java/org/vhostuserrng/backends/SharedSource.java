package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One source for all the guests of a loop: open while at least one uses it. Confined to the loop's thread.
 */
public final class SharedSource {
    private static final Logger LOG = LoggerFactory.getLogger(SharedSource.class);

    private final SourceSpec spec;
    private final Runnable onBytes;
    private EntropySource source;
    private int users;

    /**
     * A source that is not open yet.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     */
    public SharedSource(SourceSpec spec, Runnable onBytes) {
        this.spec = spec;
        this.onBytes = onBytes;
    }

    /** Counts a user in; the first one opens the source. If that fails it is tried again with each {@link #fill}. */
    public void acquire() {
        users++;
        if (source == null) {
            open();
        }
    }

    /** Counts a user out; with the last one the source is closed. */
    public void release() {
        users--;
        if (users == 0 && source != null) {
            source.close();
            source = null;
        }
    }

    /** As {@link EntropySource#fill}. */
    public int fill(MemorySegment target, long offset, int length) {
        if (source == null && !open()) {
            return EntropySource.FAILED;
        }
        return source.fill(target, offset, length);
    }

    private boolean open() {
        try {
            source = spec.open(onBytes);
            return true;
        } catch (IOException refused) {
            LOG.error("{}: cannot be opened: {}; guests wait", spec, refused.getMessage());
            return false;
        }
    }
}
