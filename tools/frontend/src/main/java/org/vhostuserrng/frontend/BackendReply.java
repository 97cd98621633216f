package org.vhostuserrng.frontend;

import java.util.List;
import net.openhft.chronicle.bytes.Bytes;

/** A reply from the back-end with a valid header. */
public final class BackendReply {
    private final int request;
    private final byte[] payload;
    private final List<ReceivedFileDescriptor> descriptors;

    BackendReply(int request, byte[] payload, List<ReceivedFileDescriptor> descriptors) {
        this.request = request;
        this.payload = payload;
        this.descriptors = descriptors;
    }

    /** The message id of the request to which this is the reply, see {@link FrontendMessageType#id}. */
    public int request() {
        return request;
    }

    /**
     * The payload as a u64.
     *
     * @throws BackendProtocolException if the payload is not 8 bytes long
     */
    public long u64() throws BackendProtocolException {
        return payloadOfSize(Long.BYTES).readLong(0);
    }

    /**
     * The {@code num} field of a payload that is a vring state description; unsigned 32 bits.
     *
     * @throws BackendProtocolException if the payload is not 8 bytes long
     */
    public long vringStateNumber() throws BackendProtocolException {
        return payloadOfSize(2 * Integer.BYTES).readUnsignedInt(Integer.BYTES);
    }

    /** A copy of the payload. */
    public byte[] payload() {
        return payload.clone();
    }

    /** The file descriptors received with the reply. The caller must close them. */
    public List<ReceivedFileDescriptor> descriptors() {
        return descriptors;
    }

    /**
     * Returns the payload.
     *
     * @throws BackendProtocolException if its length is not exactly {@code expected} bytes
     */
    Bytes<byte[]> payloadOfSize(int expected) throws BackendProtocolException {
        if (payload.length != expected) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "reply to request " + request + " has a payload of " + payload.length + " bytes, expected "
                            + expected);
        }
        return Bytes.wrapForRead(payload);
    }
}
