package org.vhostuserrng.frontend;

import java.util.List;

/**
 * The result of one recvmsg(2).
 *
 * @param bytes the received bytes; empty at the end of the stream
 * @param descriptors the received file descriptors; the caller must close them
 * @param controlTruncated MSG_CTRUNC: whether descriptors were lost, for example because of RLIMIT_NOFILE
 */
@SuppressWarnings("ArrayRecordComponent") // no code compares instances
public record RecvmsgResult(byte[] bytes, List<ReceivedFileDescriptor> descriptors, boolean controlTruncated) {
    static final RecvmsgResult END = new RecvmsgResult(new byte[0], List.of(), false);

    /** Whether the peer has closed the connection. */
    public boolean isEnd() {
        return bytes.length == 0;
    }
}
