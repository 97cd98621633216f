package org.vhostuserrng.transport.vhostuser.session;

/**
 * Is notified of changes of the IOTLB. A range is specified by its first and last I/O virtual address. Loop's thread.
 */
interface IotlbListener {
    /**
     * Entries of the range are about to be replaced or removed. When this method returns, they must not be used any
     * more.
     */
    void iotlbChanging(long first, long last);

    /** Entries for the range have arrived. */
    void iotlbUpdated(long first, long last);
}
