package org.vhostuserrng.transport.memory;

import java.util.OptionalLong;

/**
 * Logs the device's writes for one virtqueue to the {@link DirtyPageLog}, after each write. Costs one comparison while
 * logging is off. Logging may be switched on or off at any time while the virtqueue runs. Confined to the loop's
 * thread.
 */
public final class VirtqueueDirtyLogger {
    private final DirtyPageLog log;
    private boolean buffersLogged;
    private boolean ringLogged;
    private long ringAddress;

    /** Creates a logger that is off. */
    public VirtqueueDirtyLogger(DirtyPageLog log) {
        this.log = log;
    }

    /** Logs a write to a buffer. */
    public void logBufferWrite(long guestAddress, long length) {
        if (buffersLogged) {
            log.markRange(guestAddress, length);
        }
    }

    /** Logs a write to the part of the virtqueue that the device writes, at {@code offset} in that part. */
    public void logRingWrite(long offset, long length) {
        if (ringLogged) {
            log.markRange(ringAddress + offset, length);
        }
    }

    public boolean isBufferLogging() {
        return buffersLogged;
    }

    /** The address of {@link #enableRingLogging}; empty if ring writes are not logged. */
    public OptionalLong ringLogAddress() {
        return ringLogged ? OptionalLong.of(ringAddress) : OptionalLong.empty();
    }

    /** Switches the logging of buffer writes on or off (VHOST_F_LOG_ALL). */
    public void setBufferLogging(boolean on) {
        buffersLogged = on;
    }

    /** Logs ring writes as if the ring began at {@code guestAddress} (VHOST_VRING_F_LOG). */
    public void enableRingLogging(long guestAddress) {
        ringLogged = true;
        ringAddress = guestAddress;
    }

    /** Ends the logging of ring writes. */
    public void disableRingLogging() {
        ringLogged = false;
    }
}
