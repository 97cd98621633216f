package org.vhostuserrng.transport.vhostuser.session;

/** Learns of changes of the IOTLB. A range is given by its first and last I/O virtual address. Loop's thread. */
interface IotlbListener {
    /** Entries of the range are about to be replaced or removed. Nobody uses them when this method returns. */
    void iotlbChanging(long first, long last);

    /** Entries for the range have arrived. */
    void iotlbUpdated(long first, long last);
}
