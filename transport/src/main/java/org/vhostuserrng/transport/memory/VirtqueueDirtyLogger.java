package org.vhostuserrng.transport.memory;

import java.util.OptionalLong;

/**
 * Logs the device's writes to the buffers and the ring of one virtqueue in the {@link DirtyPageLog}, after each write.
 * Logging may be switched on or off at any time while the virtqueue runs. Confined to the loop's thread.
 */
public final class VirtqueueDirtyLogger {
    /** Receives the writes to buffers of a virtqueue that the transport copies to the guest. */
    @FunctionalInterface
    public interface BufferWriteListener {
        /** The device has written to a range of guest-physical addresses, which is in one region. Data path. */
        void bufferWritten(long guestAddress, long length);
    }

    private final DirtyPageLog log;
    /** Null unless the writes to buffers are copied. */
    private final BufferWriteListener listener;

    private boolean buffersLogged;
    private boolean ringLogged;
    private long ringAddress;

    /** Creates a logger with both kinds of logging switched off. */
    public VirtqueueDirtyLogger(DirtyPageLog log) {
        this(log, null);
    }

    /** Creates a logger with both kinds of logging switched off, which reports all writes to buffers to a listener. */
    public VirtqueueDirtyLogger(BufferWriteListener listener) {
        this(new DirtyPageLog(), listener);
    }

    private VirtqueueDirtyLogger(DirtyPageLog log, BufferWriteListener listener) {
        this.log = log;
        this.listener = listener;
    }

    /** Logs a write to a buffer, if buffer logging is on. */
    public void logBufferWrite(long guestAddress, long length) {
        if (buffersLogged) {
            log.markRange(guestAddress, length);
        }
        if (listener != null) {
            listener.bufferWritten(guestAddress, length);
        }
    }

    /** Logs a write at {@code offset} in the area of the virtqueue that the device writes, if ring logging is on. */
    public void logRingWrite(long offset, long length) {
        if (ringLogged) {
            log.markRange(ringAddress + offset, length);
        }
    }

    public boolean isBufferLogging() {
        return buffersLogged;
    }

    /** The address that was passed to {@link #enableRingLogging}; empty if ring writes are not logged. */
    public OptionalLong ringLogAddress() {
        return ringLogged ? OptionalLong.of(ringAddress) : OptionalLong.empty();
    }

    /** Switches the logging of buffer writes on or off (VHOST_F_LOG_ALL). */
    public void setBufferLogging(boolean on) {
        buffersLogged = on;
    }

    /**
     * Switches the logging of ring writes on (VHOST_VRING_F_LOG). They are logged as if the ring began at
     * {@code guestAddress}.
     */
    public void enableRingLogging(long guestAddress) {
        ringLogged = true;
        ringAddress = guestAddress;
    }

    /** Switches the logging of ring writes off. */
    public void disableRingLogging() {
        ringLogged = false;
    }
}
