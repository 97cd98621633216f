package org.vhostuserrng.transport.vhostuser.session;

/**
 * Receives notice of changes of the IOTLB. A range is specified by its first and last I/O virtual address. Called on
 * the loop's thread.
 */
interface IotlbListener {
    /** Called before entries of the range are replaced or removed. The listener must not use them after it returns. */
    void iotlbChanging(long first, long last);

    /** Called after entries of the range have been added. */
    void iotlbUpdated(long first, long last);
}
