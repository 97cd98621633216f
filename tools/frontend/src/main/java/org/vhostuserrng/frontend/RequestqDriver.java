package org.vhostuserrng.frontend;

import java.io.IOException;

/** A guest whose driver has started the requestq of an entropy device, independent of the protocol of the VMM. */
public sealed interface RequestqDriver extends AutoCloseable permits EntropyDriver, VfioUserEntropyDriver {
    /** The requestq. */
    DriverRing driverRing();

    /** Guest-physical address of the memory for buffers. */
    long bufferAddress();

    /** The negotiated virtio feature bits. */
    long features();

    /** The eventfd that the device signals when it has used buffers. */
    FrontendEventFd interrupt();

    /** The connection to the device. */
    FrontendSocket socket();

    /**
     * Notifies the device, if it requires that for the buffers that were made available since the last call. Does not
     * allocate.
     */
    void kickIfNeeded() throws IOException;

    /** Stops the requestq. */
    void stop() throws IOException;

    @Override
    void close() throws IOException;
}
