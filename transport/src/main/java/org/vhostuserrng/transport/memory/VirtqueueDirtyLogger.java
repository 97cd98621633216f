package org.vhostuserrng.transport.memory;

/**
 * What a virtqueue's device tells of its writes to guest memory, after it has made them. Costs a comparison while nobody
 * migrates the guest. What is logged may change at any time while the virtqueue runs. Confined to the loop's thread.
 */
public final class VirtqueueDirtyLogger {
    private final DirtyPageLog log;
    private boolean buffers;
    private boolean ring;
    private long ringAddress;

    /** Tells nothing yet. */
    public VirtqueueDirtyLogger(DirtyPageLog log) {
        this.log = log;
    }

    /** Bytes of a buffer have been written, at a guest-physical address. */
    public void buffer(long guestAddress, long length) {
        if (buffers) {
            log.wrote(guestAddress, length);
        }
    }

    /** Bytes of the part of the virtqueue that the device writes have been written, from {@code offset} in it on. */
    public void ring(long offset, long length) {
        if (ring) {
            log.wrote(ringAddress + offset, length);
        }
    }

    /** Whether writes to buffers are logged (VHOST_F_LOG_ALL). */
    public void logBuffers(boolean on) {
        buffers = on;
    }

    /** Logs writes to the ring as if it lay at {@code guestAddress} (VHOST_VRING_F_LOG). */
    public void logRing(long guestAddress) {
        ring = true;
        ringAddress = guestAddress;
    }

    /** Ends {@link #logRing}. */
    public void ignoreRing() {
        ring = false;
    }
}
