package org.vhostuserrng.frontend;

import java.io.IOException;

/**
 * The entropy device's only virtqueue (VIRTIO 1.4, section 5.4.2) as a front-end holds it: where it lies and its three
 * eventfds, which it owns.
 */
public final class FrontendRequestq implements AutoCloseable {
    /** Its index among the device's virtqueues. */
    public static final int INDEX = 0;

    private DriverRingAddresses addresses;
    private final FrontendEventFd kick;
    private final FrontendEventFd call;
    private final FrontendEventFd err;

    /**
     * A requestq that no back-end knows yet.
     *
     * @throws IOException when the process has no file descriptors left
     */
    public FrontendRequestq(DriverRingAddresses layout) throws IOException {
        this.addresses = layout;
        kick = new FrontendEventFd();
        call = new FrontendEventFd();
        err = new FrontendEventFd();
    }

    public DriverRingAddresses addresses() {
        return addresses;
    }

    /** Places it elsewhere; a back-end learns of it when it is started the next time. */
    public void setAddresses(DriverRingAddresses newLayout) {
        addresses = newLayout;
    }

    /** Signalled by the driver: buffers are available. */
    public FrontendEventFd kick() {
        return kick;
    }

    /** Signalled by the device: buffers were used. */
    public FrontendEventFd call() {
        return call;
    }

    /** Signalled by the back-end: the ring is broken. */
    public FrontendEventFd err() {
        return err;
    }

    @Override
    public void close() {
        kick.close();
        call.close();
        err.close();
    }
}
