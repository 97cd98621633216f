package org.vhostuserrng.cli.trace;

import java.util.StringJoiner;
import jnr.constants.platform.Errno;
import net.openhft.chronicle.bytes.Bytes;

/**
 * A header of a vfio-user message (vfio-user, "Header").
 *
 * @param size size of the message in bytes with the header, unsigned 32 bits
 * @param error the Error field
 */
record VfioUserTraceHeader(int messageId, int command, long size, int flags, int error) {
    static final int SIZE = 16;

    private static final int TYPE_MASK = 0xf;
    private static final int TYPE_COMMAND = 0;
    private static final int TYPE_REPLY = 1;
    private static final int NO_REPLY = 1 << 4;
    private static final int ERROR = 1 << 5;
    private static final int COMMAND_OFFSET = 2;

    /** Parses the header at the beginning of {@code bytes}, which must contain at least a complete header. */
    static VfioUserTraceHeader of(byte[] bytes) {
        Bytes<byte[]> header = Bytes.wrapForRead(bytes);
        return new VfioUserTraceHeader(
                header.readUnsignedShort(),
                header.readUnsignedShort(),
                header.readUnsignedInt(),
                header.readInt(),
                header.readInt());
    }

    /** Returns the command at the beginning of {@code bytes}, which must contain at least 4 bytes. */
    static int command(byte[] bytes) {
        return Bytes.wrapForRead(bytes).readUnsignedShort(COMMAND_OFFSET);
    }

    /** Size of the payload in bytes; 0 if the message size is too small. */
    long payloadSize() {
        return Math.max(0, size - SIZE);
    }

    boolean isReply() {
        return (flags & TYPE_MASK) == TYPE_REPLY;
    }

    boolean hasKnownType() {
        return isReply() || (flags & TYPE_MASK) == TYPE_COMMAND;
    }

    /** Whether a command is posted: the other side must not reply. */
    boolean isPosted() {
        return !isReply() && (flags & NO_REPLY) != 0;
    }

    boolean hasErrorFlag() {
        return (flags & ERROR) != 0;
    }

    /** Returns the name of the command; {@code command-ID} if the id is unknown. */
    String name() {
        return VfioUserTraceCommand.byId(command).map(Enum::name).orElse("command-" + command);
    }

    /** Returns the message id, the type, the names of the flags that are set, and all other bits in hexadecimal. */
    String flagsText() {
        StringJoiner text = new StringJoiner("+").add("id " + messageId + (isReply() ? " reply" : " command"));
        if ((flags & NO_REPLY) != 0) {
            text.add("no_reply");
        }
        if (hasErrorFlag()) {
            text.add("error");
        }
        int unknown = flags & ~(NO_REPLY | ERROR | (hasKnownType() ? TYPE_MASK : 0));
        return unknown == 0
                ? text.toString()
                : text.add("0x" + Integer.toHexString(unknown)).toString();
    }

    /** Returns the Error field: its Linux name and its number. */
    String errorText() {
        for (Errno each : Errno.values()) {
            if (each.defined() && each.intValue() == error) {
                return each.name() + " (" + error + ")";
            }
        }
        return Integer.toUnsignedString(error);
    }
}
