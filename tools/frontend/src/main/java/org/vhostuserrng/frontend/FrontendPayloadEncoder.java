package org.vhostuserrng.frontend;

import java.util.List;
import net.openhft.chronicle.bytes.Bytes;

/** Encodes the payloads of front-end messages in native byte order (vhost-user, "Message Specification"). */
public final class FrontendPayloadEncoder {
    private static final byte[] EMPTY = {};

    private FrontendPayloadEncoder() {}

    /** Returns an empty payload. */
    public static byte[] none() {
        return EMPTY;
    }

    /** Encodes "a single 64-bit integer". */
    public static byte[] u64(long value) {
        return toBytes(buffer().writeLong(value));
    }

    /** Encodes "a vring state description": index and num, 32 bits each. */
    public static byte[] vringState(int index, long number) {
        return toBytes(buffer().writeInt(index).writeUnsignedInt(number));
    }

    /**
     * Encodes "a vring address description" without dirty logging. All addresses are user addresses of the front-end.
     */
    public static byte[] vringAddress(int index, long descriptor, long used, long available) {
        int flags = 0;
        long log = 0;
        return toBytes(buffer().writeInt(index)
                .writeInt(flags)
                .writeLong(descriptor)
                .writeLong(used)
                .writeLong(available)
                .writeLong(log));
    }

    /** Encodes a "multiple memory regions description". */
    public static byte[] memoryRegions(List<FrontendMemoryRegion> regions) {
        Bytes<?> bytes = buffer().writeInt(regions.size()).writeInt(0);
        for (FrontendMemoryRegion region : regions) {
            bytes.writeLong(region.guestAddress())
                    .writeLong(region.size())
                    .writeLong(region.userAddress())
                    .writeLong(region.mmapOffset());
        }
        return toBytes(bytes);
    }

    /** Returns one message, header and payload. {@code flags} is the complete flags field, including the version. */
    public static byte[] message(int request, int flags, byte[] payload) {
        return toBytes(buffer().writeInt(request)
                .writeInt(flags)
                .writeInt(payload.length)
                .write(payload));
    }

    private static Bytes<?> buffer() {
        return Bytes.allocateElasticOnHeap();
    }

    private static byte[] toBytes(Bytes<?> bytes) {
        return bytes.toByteArray();
    }
}
