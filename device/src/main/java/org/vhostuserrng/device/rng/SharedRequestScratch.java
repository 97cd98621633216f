package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;

/**
 * Scratch memory for serving one request. All devices of a loop share one instance, so an additional guest needs no
 * scratch memory. Confined to the loop's thread.
 */
public final class SharedRequestScratch {
    /** Size of the staging buffer for small segments. */
    static final int STAGING_BYTES = 4096;

    private final ScatterGatherList buffers = new ScatterGatherList();
    private final MemorySegment staging = Arena.ofAuto().allocate(STAGING_BYTES);
    private int queues;

    public SharedRequestScratch() {}

    ScatterGatherList buffers() {
        return buffers;
    }

    MemorySegment staging() {
        return staging;
    }

    /** A started virtqueue uses this instance from now on. */
    void addQueue() {
        queues++;
    }

    /** A stopped virtqueue no longer uses this instance. */
    void removeQueue() {
        queues--;
    }

    /** Whether more than one virtqueue of the loop is started. */
    boolean isShared() {
        return queues > 1;
    }
}
