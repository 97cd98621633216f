package org.vhostuserrng.transport;

/**
 * A virtio device, one per guest, as a transport drives it. Called on the event loop's thread only. Outlives sessions:
 * a guest that reconnects finds the same device, with whatever it remembers (its quota, its counters).
 */
public interface VirtioDevice {
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
     * @throws InvalidQueueException if its size, addresses or features cannot be those of a virtqueue; nothing has
     *     been started then
     * @throws MissingTranslationException if a part of it lies behind a translation that is not known yet; nothing has
     *     been started then
     */
    DeviceQueue start(QueueSetup setup) throws InvalidQueueException, MissingTranslationException;
}
