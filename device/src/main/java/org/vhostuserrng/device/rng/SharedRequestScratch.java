package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;

/**
 * What serving a request needs for a moment; one for all the devices of a loop, so that a further guest costs nothing.
 * Confined to the loop's thread.
 */
public final class SharedRequestScratch {
    /** Bytes that are generated together for small pieces of a buffer. */
    static final int STAGING_BYTES = 4096;

    private final ScatterGatherList chain = new ScatterGatherList();
    private final MemorySegment staging = Arena.ofAuto().allocate(STAGING_BYTES);
    private int rings;

    /** An empty workspace. */
    public SharedRequestScratch() {}

    ScatterGatherList chain() {
        return chain;
    }

    MemorySegment staging() {
        return staging;
    }

    /** A ring begins to use this. */
    void join() {
        rings++;
    }

    /** It does so no more. */
    void leave() {
        rings--;
    }

    /** Whether there is more than one ring that may have something to do. */
    boolean isShared() {
        return rings > 1;
    }
}
