package org.vhostuserrng.transport.vhostuser.protocol;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.vhostuserrng.fuzz.FuzzAssertions;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.FuzzedSocketPeer;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/**
 * Fuzzes the message channel with a byte stream and descriptors that a front-end sends in arbitrary pieces. The channel
 * must receive all messages before the first invalid header completely, with their descriptors. It must not read beyond
 * an invalid header, and must close all descriptors.
 *
 * <p>Input: pieces. In the first byte of a piece, the lower 4 bits are the number of descriptors, and the highest bit
 * tells whether the channel receives before the next piece is sent. The second byte is the number of bytes that follow.
 */
public final class MessageStreamFuzzTarget {
    private static final int MAX_FDS = 32;
    private static final int RECEIVE = 0x80;

    private final FuzzedSocketPeer peer;
    private final UnixStreamSocket stream;
    private final VhostUserMessageChannel channel;
    private final OwnedFd passed;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    /** Number of sent descriptors, by the stream position of the byte with which they were sent. */
    private final NavigableMap<Integer, Integer> fdsSent = new TreeMap<>();

    /** Stream position of the next message. */
    private int position;

    private boolean ended;

    private MessageStreamFuzzTarget(FuzzedSocketPeer peer, OwnedFd passed) {
        this.peer = peer;
        this.passed = passed;
        this.stream = peer.stream();
        this.channel = new VhostUserMessageChannel(stream);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        List<String> before = FuzzedSocketPeer.openFds();
        try (FuzzedSocketPeer peer = FuzzedSocketPeer.connect();
                EventFd passed = EventFd.create()) {
            MessageStreamFuzzTarget target = new MessageStreamFuzzTarget(peer, passed.fd());
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
            send(input.bytes(input.u8()), head % 16);
            if ((head & RECEIVE) != 0) {
                receive();
            }
        }
        peer.shutDown();
        receive();
    }

    private void send(byte[] piece, int fds) {
        if (piece.length == 0) {
            return;
        }
        int sentAt = sent.size();
        int accepted = peer.send(piece, Collections.nCopies(fds, passed));
        if (accepted > 0) {
            sent.write(piece, 0, accepted);
            fdsSent.put(sentAt, fds);
        }
    }

    /** Receives all messages that were sent completely. */
    private void receive() {
        while (!ended) {
            try {
                if (channel.receive() != VhostUserMessageChannel.Received.MESSAGE) {
                    require(!isComplete() && !isRejected(), "did not receive a complete message");
                    return;
                }
            } catch (FramingViolationException rejected) {
                require(isRejected(), "rejected a valid header: " + rejected.getMessage());
                requireNothingReadBeyondHeader();
                ended = true;
                return;
            }
            require(isComplete() && !isRejected(), "received an incomplete or invalid message");
            check();
            position = end();
            channel.done();
        }
    }

    private ByteBuffer bytes() {
        return ByteBuffer.wrap(sent.toByteArray())
                .order(ByteOrder.nativeOrder())
                .position(position)
                .slice()
                .order(ByteOrder.nativeOrder());
    }

    private boolean hasHeader() {
        return sent.size() - position >= VhostUserConstants.HEADER_BYTES;
    }

    /** Whether the next message has an invalid header or more descriptors than a message may have. */
    private boolean isRejected() {
        return hasBadHeader() || fds() > MAX_FDS;
    }

    private boolean hasBadHeader() {
        if (!hasHeader()) {
            return false;
        }
        int flags = bytes().getInt(4);
        return (flags & 3) != 1
                || (flags & 4) != 0
                || Integer.compareUnsigned(bytes().getInt(8), VhostUserConstants.MAX_PAYLOAD_BYTES) > 0;
    }

    private boolean isComplete() {
        return hasHeader() && !hasBadHeader() && end() <= sent.size();
    }

    /**
     * Returns the stream position of the end of the next message; of its header if the header is incomplete or invalid.
     */
    private int end() {
        int header = position + VhostUserConstants.HEADER_BYTES;
        return !hasHeader() || hasBadHeader() ? header : header + bytes().getInt(8);
    }

    /** Returns the number of descriptors that were sent with the next message so far. */
    private int fds() {
        return fdsSent.subMap(position, end()).values().stream()
                .mapToInt(Integer::intValue)
                .sum();
    }

    private void check() {
        byte[] payload = new byte[end() - position - VhostUserConstants.HEADER_BYTES];
        bytes().get(VhostUserConstants.HEADER_BYTES, payload);
        requireEqual(bytes().getInt(0), channel.id(), "id");
        require((bytes().getInt(4) & 8) != 0 == channel.needsReply(), "need_reply");
        require(MemorySegment.ofArray(payload).mismatch(channel.payload()) < 0, "payload");
        requireEqual(fds(), channel.fds().count(), "descriptors");
        try {
            FrontendRequest request = FrontendRequestDecoder.decode(channel.id(), channel.payload(), fds());
            require(request != null, "decoded nothing");
        } catch (ProtocolViolationException rejected) {
            FuzzAssertions.requireOneLine(rejected.getMessage());
        }
    }

    private void requireNothingReadBeyondHeader() {
        // If there were too many descriptors, the number of bytes read is unknown.
        if (fds() <= MAX_FDS && fdsSent.tailMap(position).values().stream().allMatch(fds -> fds <= MAX_FDS)) {
            requireEqual(sent.size() - end(), FuzzedSocketPeer.discard(stream), "unread bytes");
        }
    }
}
