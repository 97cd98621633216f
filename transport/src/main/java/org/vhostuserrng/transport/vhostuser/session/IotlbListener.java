package org.vhostuserrng.transport.vhostuser.session;

/**
 * Listener for changes of the IOTLB. A range is given by its first and last I/O virtual address. Called on the loop's
 * thread.
 */
interface IotlbListener {
    /** Called before entries of the range are replaced or removed. They must not be used after this method returns. */
    void iotlbChanging(long first, long last);

    /** Called after entries for the range have been added. */
    void iotlbUpdated(long first, long last);
}
