package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A connected UNIX socket of any type that a peer sent for notifications, such as one end of a socketpair(2). Each call
 * uses MSG_DONTWAIT, because a peer that shares the open file description can clear O_NONBLOCK.
 */
final class NotificationSocket extends NotificationStream {
    private static final MemorySegment SEND = Libc.symbol("send");
    private static final MemorySegment RECVMSG = Libc.symbol("recvmsg");
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
    private static final int MAX_RECEIVED_BYTES = 4096;

    private static final int MAX_RECEIVES = 256;
    private static final MemorySegment DISCARDED = Arena.global().allocate(MAX_RECEIVED_BYTES);

    /** Set by the peer's executor, read by the loop's thread. */
    private volatile boolean stuck;

    private NotificationSocket(OwnedFd received) {
        super(received);
    }

    /**
     * Takes ownership of a socket that a peer sent.
     *
     * @throws IOException if notifications go to the front-end, and the socket contains descriptors
     */
    static NotificationSocket open(OwnedFd received, Direction direction) throws IOException {
        NotificationSocket opened = new NotificationSocket(received);
        if (direction == Direction.TO_FRONTEND) {
            UnixStreamSocket.shutDownReception(received);
            opened.discardWords();
            if (opened.stuck) {
                throw new IOException("expected a socket without descriptors in it");
            }
        }
        return opened;
    }

    @Override
    long sendWord() {
        return Libc.callLong(SEND, peer.number(), WORD.address(), WORD_BYTES, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
    }

    @Override
    boolean discardWords() {
        boolean any = false;
        long received = 0;
        // Continues after a result of 0, which is either the end of the stream or an empty datagram.
        for (int i = 0; i < MAX_RECEIVES && received >= 0 && !stuck; i++) {
            received = receive();
            any |= received > 0;
        }
        return any;
    }

    private long receive() {
        SocketMessageHeader message = SocketMessageHeader.toReceive(DISCARDED);
        long received =
                Libc.callLong(RECVMSG, peer.number(), message.address(), MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);
        if (received >= 0) {
            closeDescriptors(message);
        }
        return received;
    }

    /** Closes received descriptors. A notification contains no descriptors, so a socket with one is not read again. */
    private void closeDescriptors(SocketMessageHeader message) {
        int descriptors = message.descriptors();
        for (int i = 0; i < descriptors; i++) {
            peer.received(message.descriptor(i)).close();
        }
        stuck = descriptors > 0;
    }

    /** Returns whether the peer has sent descriptors over the socket, which it could do without limit. */
    @Override
    public boolean isStuck() {
        return stuck;
    }

    @Override
    public void close() {
        peer.execute(peer::closeNow);
    }
}
