package org.vhostuserrng.frontend;

import net.openhft.chronicle.bytes.Bytes;

/**
 * An IOTLB message (struct vhost_iotlb_msg) to or from the back-end. The values are not checked.
 *
 * @param iova I/O virtual address
 * @param size size of the range in bytes
 * @param userAddress user address of the front-end to which {@code iova} is mapped
 * @param permissions permitted access: {@link #READ}, {@link #WRITE} or both
 * @param type {@link #MISS}, {@link #UPDATE}, {@link #INVALIDATE} or {@link #ACCESS_FAIL}
 */
public record FrontendIotlbMessage(long iova, long size, long userAddress, int permissions, int type) {
    /** Permission: the device may read. */
    public static final int READ = 1;

    /** Permission: the device may write. */
    public static final int WRITE = 2;

    /** Message type, sent by the back-end: it has no translation for the address. */
    public static final int MISS = 1;

    /** Message type, sent by the front-end: a new translation. */
    public static final int UPDATE = 2;

    /** Message type, sent by the front-end: the translations of the range are no longer valid. */
    public static final int INVALIDATE = 3;

    /** Message type, sent by the back-end: the translation does not permit the access. */
    public static final int ACCESS_FAIL = 4;

    private static final int SIZE = 32;

    public static FrontendIotlbMessage update(long iova, long size, long userAddress, int permissions) {
        return new FrontendIotlbMessage(iova, size, userAddress, permissions, UPDATE);
    }

    /**
     * Returns a message that invalidates the translations of a range. Size 0 at address 0 means the whole address
     * space.
     */
    public static FrontendIotlbMessage invalidate(long iova, long size) {
        return new FrontendIotlbMessage(iova, size, 0, 0, INVALIDATE);
    }

    /** Returns the payload of the message: the C struct with its trailing padding. */
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
