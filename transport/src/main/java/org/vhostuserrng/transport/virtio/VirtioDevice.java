package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;

/**
 * The interface of a virtio device to a transport; one device per guest. All methods are called on the event loop's
 * thread. The device outlives sessions: a guest that reconnects uses the same device with the same rate limits and
 * counters.
 */
public interface VirtioDevice {
    /** Maximum size of a {@link #saveState state} in bytes. */
    int MAX_STATE_BYTES = 4096;

    /** The guest's name, for log lines. */
    String name();

    /** Describes the bytes and requests served so far, for a log line. */
    String statistics();

    /** A kick of the driver has arrived, for a virtqueue that may not be started. */
    default void kicked() {}

    /**
     * A session with a front-end has begun.
     *
     * @param continued whether it is the session of another process
     * @param now the loop's time
     */
    default void sessionBegan(boolean continued, long now) {}

    /** The session has ended. */
    default void sessionEnded() {}

    /** The feature bits that the device offers (VIRTIO 1.3 §2.2), without the feature bits of the transport. */
    long features();

    /** The number of virtqueues, at least 1. */
    int queueCount();

    /**
     * Starts a virtqueue.
     *
     * @throws InvalidVirtqueueException if no virtqueue can have this size, location or position; nothing has started
     * @throws MemoryNotReadyException if an area of the virtqueue has no IOTLB entry or no huge page yet; nothing has
     *     started
     */
    VirtqueueHandler start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException;

    /** Minimum size of the memory of {@link #keepIn}. */
    int KEPT_BYTES = 512;

    /**
     * From now on, keeps what must not be lost with this process in memory that outlives it.
     *
     * @param memory at least {@link #KEPT_BYTES}, valid until the next call; null to keep nothing
     * @param continued whether the memory contains the state that another process left; otherwise it is overwritten
     * @param now the loop's time
     * @param monotonicNow the same instant by CLOCK_MONOTONIC, which all processes of the host share; nanoseconds
     */
    void keepIn(MemorySegment memory, boolean continued, long now, long monotonicNow);

    /**
     * Returns the state with which a device on another host can continue to serve the guest, at most
     * {@link #MAX_STATE_BYTES}. All virtqueues must be stopped.
     *
     * @param now the loop's time
     */
    byte[] saveState(long now);

    /**
     * Continues from the state of another device. All virtqueues must be stopped.
     *
     * @param now the loop's time
     * @throws InvalidDeviceStateException if the state is not valid; nothing has changed
     */
    void loadState(long now, byte[] state) throws InvalidDeviceStateException;
}
