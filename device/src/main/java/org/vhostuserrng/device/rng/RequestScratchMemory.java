package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;

/**
 * Scratch memory for serving one request. All devices of a loop share one instance, so that additional guests need no
 * further memory. Confined to the loop's thread.
 */
public final class RequestScratchMemory {
    /** Size of the staging buffer for small segments in bytes. */
    static final int STAGING_BYTES = 4096;

    private final ScatterGatherList buffers = new ScatterGatherList();
    private final MemorySegment staging = Arena.ofAuto().allocate(STAGING_BYTES);
    private int queues;

    public RequestScratchMemory() {}

    ScatterGatherList buffers() {
        return buffers;
    }

    MemorySegment staging() {
        return staging;
    }

    /** Counts a virtqueue that has started. */
    void addQueue() {
        queues++;
    }

    /** Counts a virtqueue that has stopped. */
    void removeQueue() {
        queues--;
    }

    /** Returns whether more than one virtqueue of the loop is started. */
    boolean isShared() {
        return queues > 1;
    }
}
