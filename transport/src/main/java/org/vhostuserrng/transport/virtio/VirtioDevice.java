package org.vhostuserrng.transport.virtio;

import org.vhostuserrng.transport.memory.IotlbMissException;

/**
 * A virtio device, one per guest, as a transport drives it. Called on the event loop's thread only. Outlives sessions:
 * a guest that reconnects finds the same device, with whatever it remembers (its quota, its counters).
 */
public interface VirtioDevice {
    /** The size of a {@link #saveState state}, at most. */
    int MOST_STATE_BYTES = 4096;

    /** Who this guest is, for logs. */
    String name();

    /** What the guest has been given so far, in a few words for a log. */
    String statistics();

    /** The feature bits that the device offers (VIRTIO 1.3 §2.2); those of the transport are not among them. */
    long features();

    /** How many virtqueues the device has, at least 1. */
    int queueCount();

    /**
     * Starts a virtqueue.
     *
     * @throws InvalidVirtqueueException if its size, addresses or features cannot be those of a virtqueue; nothing has
     *     been started then
     * @throws IotlbMissException if a part of it lies behind a translation that is not known yet; nothing has
     *     been started then
     */
    VirtqueueHandler start(VirtqueueConfig setup) throws InvalidVirtqueueException, IotlbMissException;

    /**
     * How many bytes a virtqueue takes to record its requests under way, see {@link VirtqueueConfig#inflight}.
     *
     * @param features those that the driver accepted
     * @param queueSize 1 to 32768
     */
    long inflightBytes(long features, int queueSize);

    /**
     * What a device on another host has to know to go on with the guest; at most {@link #MOST_STATE_BYTES}. No virtqueue
     * runs.
     *
     * @param now the loop's time
     */
    byte[] saveState(long now);

    /**
     * Goes on where the device was whose state this is. No virtqueue runs.
     *
     * @param now the loop's time
     * @throws InvalidDeviceStateException if this is no state of such a device; nothing has changed then
     */
    void loadState(long now, byte[] state) throws InvalidDeviceStateException;
}
