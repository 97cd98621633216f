package org.vhostuserrng.frontend;

import net.openhft.chronicle.bytes.Bytes;

/**
 * "An IOTLB message": struct vhost_iotlb_msg, in either direction.
 *
 * @param iova I/O virtual address
 * @param size bytes
 * @param userAddress where the front-end sees what is mapped
 * @param permissions of the device, see {@link #READ} and {@link #WRITE}
 * @param type one of the constants below; nothing is checked
 */
public record FrontendIotlbMessage(long iova, long size, long userAddress, int permissions, int type) {
    /** Of the permissions: the device may read. */
    public static final int READ = 1;

    /** Of the permissions: the device may write. */
    public static final int WRITE = 2;

    /** Of the back-end: a translation is wanted. */
    public static final int MISS = 1;

    /** Of the front-end: a translation. */
    public static final int UPDATE = 2;

    /** Of the front-end: translations that end. */
    public static final int INVALIDATE = 3;

    /** Of the back-end: what the device may not do. */
    public static final int ACCESS_FAIL = 4;

    private static final int SIZE = 32;

    public static FrontendIotlbMessage update(long iova, long size, long userAddress, int permissions) {
        return new FrontendIotlbMessage(iova, size, userAddress, permissions, UPDATE);
    }

    /** Size 0 at address 0 stands for all addresses there are. */
    public static FrontendIotlbMessage invalidate(long iova, long size) {
        return new FrontendIotlbMessage(iova, size, 0, 0, INVALIDATE);
    }

    /** As C lays the structure out: with padding at its end. */
    public byte[] encode() {
        Bytes<?> bytes = Bytes.allocateElasticOnHeap(SIZE)
                .writeLong(iova)
                .writeLong(size)
                .writeLong(userAddress)
                .writeByte((byte) permissions)
                .writeByte((byte) type);
        while (bytes.readRemaining() < SIZE) {
            bytes.writeByte((byte) 0);
        }
        return bytes.toByteArray();
    }

    static FrontendIotlbMessage decode(byte[] payload) throws BackendProtocolException {
        if (payload.length != SIZE) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "an IOTLB message of " + payload.length + " bytes, expected " + SIZE);
        }
        Bytes<byte[]> bytes = Bytes.wrapForRead(payload);
        return new FrontendIotlbMessage(
                bytes.readLong(),
                bytes.readLong(),
                bytes.readLong(),
                bytes.readUnsignedByte(),
                bytes.readUnsignedByte());
    }
}
