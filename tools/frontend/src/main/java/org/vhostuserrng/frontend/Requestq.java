package org.vhostuserrng.frontend;

import java.io.IOException;

/**
 * The entropy device's only virtqueue (VIRTIO 1.4, section 5.4.2) as a front-end holds it: where it lies and its three
 * eventfds, which it owns.
 */
public final class Requestq implements AutoCloseable {
    /** Its index among the device's virtqueues. */
    public static final int INDEX = 0;

    private RingLayout layout;
    private final EventFd kick;
    private final EventFd call;
    private final EventFd err;

    /**
     * A requestq that no back-end knows yet.
     *
     * @throws IOException when the process has no file descriptors left
     */
    public Requestq(RingLayout layout) throws IOException {
        this.layout = layout;
        kick = new EventFd();
        call = new EventFd();
        err = new EventFd();
    }

    public RingLayout layout() {
        return layout;
    }

    /** Places it elsewhere; a back-end learns of it when it is started the next time. */
    public void place(RingLayout newLayout) {
        layout = newLayout;
    }

    /** Signalled by the driver: buffers are available. */
    public EventFd kick() {
        return kick;
    }

    /** Signalled by the device: buffers were used. */
    public EventFd call() {
        return call;
    }

    /** Signalled by the back-end: the ring is broken. */
    public EventFd err() {
        return err;
    }

    @Override
    public void close() {
        kick.close();
        call.close();
        err.close();
    }
}
