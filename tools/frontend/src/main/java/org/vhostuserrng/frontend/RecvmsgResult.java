package org.vhostuserrng.frontend;

import java.util.List;

/**
 * What one recvmsg(2) returned.
 *
 * @param bytes none at all: the other side has closed
 * @param descriptors came with the last message that the bytes are of; owned by whoever received them
 * @param descriptorsLost the system could not deliver all descriptors, this process having too many
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier that nobody compares
public record RecvmsgResult(byte[] bytes, List<ReceivedFileDescriptor> descriptors, boolean controlTruncated) {
    static final RecvmsgResult END = new RecvmsgResult(new byte[0], List.of(), false);

    /** Whether the other side has closed. */
    public boolean isEnd() {
        return bytes.length == 0;
    }
}
