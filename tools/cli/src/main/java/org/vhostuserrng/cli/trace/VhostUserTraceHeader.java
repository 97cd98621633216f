package org.vhostuserrng.cli.trace;

import java.util.StringJoiner;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;

/**
 * A message header.
 *
 * @param request message id
 * @param size payload size in bytes, unsigned 32 bits
 */
record VhostUserTraceHeader(int request, int flags, long size) {
    private static final int KNOWN_FLAGS = FrontendVhostUserConstants.FLAG_VERSION_MASK
            | FrontendVhostUserConstants.FLAG_REPLY
            | FrontendVhostUserConstants.FLAG_NEED_REPLY;

    /** Parses the header at the beginning of {@code bytes}, which must contain at least a complete header. */
    static VhostUserTraceHeader of(byte[] bytes) {
        Bytes<byte[]> header = Bytes.wrapForRead(bytes);
        return new VhostUserTraceHeader(header.readInt(), header.readInt(), header.readUnsignedInt());
    }

    boolean isReply() {
        return (flags & FrontendVhostUserConstants.FLAG_REPLY) != 0;
    }

    boolean needsReply() {
        return (flags & FrontendVhostUserConstants.FLAG_NEED_REPLY) != 0;
    }

    boolean hasSupportedVersion() {
        return (flags & FrontendVhostUserConstants.FLAG_VERSION_MASK) == FrontendVhostUserConstants.FLAG_VERSION;
    }

    /** Returns the name of the message type; {@code request-ID} if the id is unknown. */
    String name() {
        return FrontendMessageType.byId(request).map(Enum::name).orElse("request-" + Integer.toUnsignedString(request));
    }

    /** Returns the version, the names of the known flags that are set, and all other set bits in hexadecimal. */
    String flagsText() {
        StringJoiner text = new StringJoiner("+").add("v" + (flags & FrontendVhostUserConstants.FLAG_VERSION_MASK));
        if (isReply()) {
            text.add("reply");
        }
        if (needsReply()) {
            text.add("need_reply");
        }
        int unknown = flags & ~KNOWN_FLAGS;
        return unknown == 0
                ? text.toString()
                : text.add("0x" + Integer.toHexString(unknown)).toString();
    }
}
