package org.vhostuserrng.frontend;

import java.util.List;
import net.openhft.chronicle.bytes.Bytes;

/** A back-end's reply whose header has been checked. */
public final class BackendReply {
    private final int request;
    private final byte[] payload;
    private final List<ReceivedFileDescriptor> descriptors;

    BackendReply(int request, byte[] payload, List<ReceivedFileDescriptor> descriptors) {
        this.request = request;
        this.payload = payload;
        this.descriptors = descriptors;
    }

    /** The message type that is answered, one of {@link FrontendVhostUserSpec}'s. */
    public int request() {
        return request;
    }

    /** The payload as a u64. */
    public long u64() throws BackendProtocolException {
        return payloadOfSize(Long.BYTES).readLong(0);
    }

    /** The payload as a vring state description: the number beside the vring's index, unsigned 32 bits. */
    public long vringStateNumber() throws BackendProtocolException {
        return payloadOfSize(2 * Integer.BYTES).readUnsignedInt(Integer.BYTES);
    }

    /** The payload as it came. */
    public byte[] payload() {
        return payload.clone();
    }

    /** Descriptors that came with the reply; the caller's to close. */
    public List<ReceivedFileDescriptor> descriptors() {
        return descriptors;
    }

    /** The payload, which has to have this many bytes. */
    Bytes<byte[]> payloadOfSize(int expected) throws BackendProtocolException {
        if (payload.length != expected) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "reply to request " + request + " has " + payload.length + " bytes of payload, expected "
                            + expected);
        }
        return Bytes.wrapForRead(payload);
    }
}
