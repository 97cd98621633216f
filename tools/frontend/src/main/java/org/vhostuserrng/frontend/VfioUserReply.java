package org.vhostuserrng.frontend;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A reply of a vfio-user server. */
public final class VfioUserReply {
    private final int messageId;
    private final int command;
    private final boolean error;
    private final int errno;
    private final byte[] payload;

    VfioUserReply(int messageId, int command, boolean error, int errno, byte[] payload) {
        this.messageId = messageId;
        this.command = command;
        this.error = error;
        this.errno = errno;
        this.payload = payload.clone();
    }

    /** The message id of the command. */
    public int messageId() {
        return messageId;
    }

    /** The command. */
    public int command() {
        return command;
    }

    /** Whether the Error bit is set. */
    public boolean isError() {
        return error;
    }

    /** The Error field. */
    public int errno() {
        return errno;
    }

    /** The bytes after the header. */
    public byte[] payload() {
        return payload.clone();
    }

    /** The bytes after the header, in native byte order. */
    public ByteBuffer data() {
        return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
    }
}
