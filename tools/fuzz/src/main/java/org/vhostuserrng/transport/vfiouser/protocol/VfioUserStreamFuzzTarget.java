package org.vhostuserrng.transport.vfiouser.protocol;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.FuzzedSocketPeer;

/**
 * A client's byte stream with descriptors, sent in arbitrary pieces. All messages before the first invalid header are
 * received completely and in order. All descriptors are closed.
 *
 * <p>Input: pieces. In the first byte of a piece, the lower 4 bits are the number of descriptors, and the highest bit
 * tells whether to receive before the next piece. The second byte is the number of bytes that follow.
 */
public final class VfioUserStreamFuzzTarget {
    private static final int RECEIVE = 0x80;
    private static final int FD_COUNTS = 16;

    private final FuzzedSocketPeer peer;
    private final VfioUserMessageChannel channel;
    private final OwnedFd passed;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private boolean fdsSent;
    /** Stream position of the next message. */
    private int position;

    private boolean ended;

    private VfioUserStreamFuzzTarget(FuzzedSocketPeer peer, OwnedFd passed) {
        this.peer = peer;
        this.passed = passed;
        this.channel = new VfioUserMessageChannel(peer.stream());
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        List<String> before = FuzzedSocketPeer.openFds();
        try (FuzzedSocketPeer peer = FuzzedSocketPeer.connect();
                EventFd passed = EventFd.create()) {
            VfioUserStreamFuzzTarget target = new VfioUserStreamFuzzTarget(peer, passed.fd());
            try {
                target.run(new FuzzInputReader(input));
            } finally {
                target.channel.close();
            }
        }
        require(before.equals(FuzzedSocketPeer.openFds()), "leaked descriptors");
    }

    private void run(FuzzInputReader input) {
        while (input.hasMore() && !ended) {
            int head = input.u8();
            send(input.bytes(input.u8()), head % FD_COUNTS);
            if ((head & RECEIVE) != 0) {
                receive();
            }
        }
        peer.shutDown();
        receive();
    }

    private void send(byte[] piece, int fds) {
        if (piece.length > 0) {
            int accepted = peer.send(piece, Collections.nCopies(fds, passed));
            sent.write(piece, 0, accepted);
            fdsSent |= fds > 0;
        }
    }

    private void receive() {
        boolean emptied = false;
        while (!ended) {
            try {
                VfioUserMessageChannel.Received received = channel.receive();
                if (received == VfioUserMessageChannel.Received.MESSAGE) {
                    emptied = false;
                    check();
                } else if (emptied || received == VfioUserMessageChannel.Received.CLOSED) {
                    require(!isComplete(), "did not receive a complete message");
                    return;
                } else {
                    // The channel returns INCOMPLETE once without a system call if it expects none to succeed.
                    emptied = true;
                }
            } catch (VfioUserViolationException rejected) {
                requireOneLine(rejected.getMessage());
                require(hasBadHeader() || fdsSent, "rejected a valid header: " + rejected.getMessage());
                ended = true;
            }
        }
    }

    private ByteBuffer bytes() {
        return ByteBuffer.wrap(sent.toByteArray()).position(position).slice().order(ByteOrder.nativeOrder());
    }

    private boolean hasHeader() {
        return sent.size() - position >= VfioUserConstants.HEADER_BYTES;
    }

    private long size() {
        return Integer.toUnsignedLong(bytes().getInt(4));
    }

    private boolean hasBadHeader() {
        return hasHeader()
                && (size() < VfioUserConstants.HEADER_BYTES
                        || size() > VfioUserConstants.MAX_MESSAGE_BYTES
                        || (bytes().getInt(8) & 15) != 0);
    }

    private boolean isComplete() {
        return hasHeader() && !hasBadHeader() && position + size() <= sent.size();
    }

    private void check() {
        require(isComplete(), "received an incomplete or invalid message");
        requireEqual(bytes().getShort(2) & 0xffff, channel.command(), "command");
        require((bytes().getInt(8) & 16) != 0 == channel.isNoReply(), "No_reply");
        require(channel.isOversized() == size() > VfioUserMessageChannel.MAX_BUFFERED_BYTES, "length");
        for (int i = 0; i < channel.payloadBytes(); i++) {
            requireEqual(bytes().get(VfioUserConstants.HEADER_BYTES + i), channel.u8(i), "payload");
        }
        require(channel.fdCount() <= VfioUserConstants.MAX_MSG_FDS, "descriptors");
        require(channel.fdCount() == 0 || fdsSent, "descriptors that nobody sent");
        position += (int) size();
        channel.done();
    }
}
