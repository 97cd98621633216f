package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;

/**
 * The interface of a virtio device to a transport. There is one device per guest, which outlives sessions: a guest that
 * reconnects uses the same device with the same rate limits and counters. All methods are called on the event loop's
 * thread.
 */
public interface VirtioDevice {
    /** Maximum size of a {@link #saveState state} in bytes. */
    int MAX_STATE_BYTES = 4096;

    /** The guest's name, for log lines. */
    String name();

    /** Describes, for a log line, the numbers of bytes and requests that the device has served. */
    String statistics();

    /** Called when a kick of the driver has arrived, even if its virtqueue has not started. */
    default void kicked() {}

    /**
     * Called when a session with a front-end has begun.
     *
     * @param continued whether another process began the session, which this process continues
     * @param now the loop's time in nanoseconds
     */
    default void sessionBegan(boolean continued, long now) {}

    /** Called when the session has ended. */
    default void sessionEnded() {}

    /** The feature bits that the device offers (VIRTIO 1.3 §2.2), without the feature bits of the transport. */
    long features();

    /** The number of virtqueues, at least 1. */
    int queueCount();

    /**
     * Starts a virtqueue.
     *
     * @throws InvalidVirtqueueException if the size, a location or the position is invalid; the virtqueue has not
     *     started
     * @throws MemoryNotReadyException if the IOTLB lacks an entry, or the host a huge page, for an area of the
     *     virtqueue, which has not started
     */
    VirtqueueHandler start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException;

    /** Minimum size of the memory of {@link #persistIn} in bytes. */
    int PERSISTED_BYTES = 512;

    /**
     * Sets the memory, which outlives this process, in which the device keeps the state that must survive it.
     *
     * @param memory at least {@link #PERSISTED_BYTES}, valid until the next call; null if nothing is to be kept
     * @param continued true if the memory contains the state of a previous process, which the device continues; false
     *     to overwrite the memory
     * @param now the loop's time in nanoseconds
     * @param monotonicNow the same instant in nanoseconds by CLOCK_MONOTONIC, which is the same in all processes of the
     *     host
     * @return false if the state of the previous process is damaged; the device then continues from an earlier state or
     *     begins anew
     */
    boolean persistIn(MemorySegment memory, boolean continued, long now, long monotonicNow);

    /**
     * Returns the state with which a device on another host can continue, at most {@link #MAX_STATE_BYTES}. All
     * virtqueues must be stopped.
     *
     * @param now the loop's time in nanoseconds
     */
    byte[] saveState(long now);

    /**
     * Loads the state that another device saved. All virtqueues must be stopped.
     *
     * @param now the loop's time in nanoseconds
     * @throws InvalidDeviceStateException if the state is invalid; the device has not changed
     */
    void loadState(long now, byte[] state) throws InvalidDeviceStateException;
}
