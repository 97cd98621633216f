package org.vhostuserrng.frontend;

import net.openhft.chronicle.bytes.Bytes;

/**
 * An IOTLB message, struct vhost_iotlb_msg, in either direction. The values are not checked.
 *
 * @param iova I/O virtual address
 * @param size size of the range in bytes
 * @param userAddress user address of the front-end to which {@code iova} is mapped
 * @param permissions access of the device: {@link #READ}, {@link #WRITE} or both
 * @param type {@link #MISS}, {@link #UPDATE}, {@link #INVALIDATE} or {@link #ACCESS_FAIL}
 */
public record FrontendIotlbMessage(long iova, long size, long userAddress, int permissions, int type) {
    /** Permission: the device may read. */
    public static final int READ = 1;

    /** Permission: the device may write. */
    public static final int WRITE = 2;

    /** Type, from the back-end: no translation is known for the address. */
    public static final int MISS = 1;

    /** Type, from the front-end: a new translation. */
    public static final int UPDATE = 2;

    /** Type, from the front-end: translations are revoked. */
    public static final int INVALIDATE = 3;

    /** Type, from the back-end: a translation does not permit the access. */
    public static final int ACCESS_FAIL = 4;

    private static final int SIZE = 32;

    public static FrontendIotlbMessage update(long iova, long size, long userAddress, int permissions) {
        return new FrontendIotlbMessage(iova, size, userAddress, permissions, UPDATE);
    }

    /** Revokes the translations of a range. Size 0 at address 0 means the whole address space. */
    public static FrontendIotlbMessage invalidate(long iova, long size) {
        return new FrontendIotlbMessage(iova, size, 0, 0, INVALIDATE);
    }

    /** The payload: the C struct including its trailing padding. */
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
                    "IOTLB message has " + payload.length + " bytes, expected " + SIZE);
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
