package org.vhostuserrng.frontend;

import java.io.IOException;

/**
 * The requestq as the front-end sees it, the only virtqueue of an entropy device (VIRTIO 1.3 §5.4.2): its addresses and
 * its three eventfds, which this object owns.
 */
public final class FrontendRequestq implements AutoCloseable {
    /** Virtqueue index. */
    public static final int INDEX = 0;

    private DriverRingAddresses addresses;
    private final FrontendEventFd kick;
    private final FrontendEventFd call;
    private final FrontendEventFd err;

    /**
     * Creates the eventfds.
     *
     * @throws IOException if the process has no file descriptors left
     */
    public FrontendRequestq(DriverRingAddresses addresses) throws IOException {
        this.addresses = addresses;
        kick = new FrontendEventFd();
        call = new FrontendEventFd();
        err = new FrontendEventFd();
    }

    public DriverRingAddresses addresses() {
        return addresses;
    }

    /** Changes the addresses. The back-end receives the new addresses at the next start of the ring. */
    public void setAddresses(DriverRingAddresses newAddresses) {
        addresses = newAddresses;
    }

    /** The eventfd that the driver signals when buffers are available. */
    public FrontendEventFd kick() {
        return kick;
    }

    /** The eventfd that the device signals when it has used buffers. */
    public FrontendEventFd call() {
        return call;
    }

    /** The eventfd that the back-end signals when the ring is broken. */
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
