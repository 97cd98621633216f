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
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.FuzzedSocketPeer;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/**
 * A front-end's stream of bytes and descriptors, cut anywhere: each message comes out whole, byte for byte and with its
 * descriptors, up to the first one that cannot be one; nothing is read beyond that one's header; all descriptors are
 * closed in the end.
 *
 * <p>As bytes: pieces, each an u8 of descriptors (lower 4 bits) and whether to receive before the next piece (upper bit),
 * an u8 of its length, and its bytes.
 */
public final class MessageStreamFuzzTarget {
    private static final int MOST_FDS = 8;
    private static final int RECEIVE = 0x80;

    private final FuzzedSocketPeer peer;
    private final UnixStreamSocket stream;
    private final VhostUserMessageChannel channel;
    private final OwnedFd passed;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    /** Descriptors by the place of the byte that they came with. */
    private final NavigableMap<Integer, Integer> fdsSent = new TreeMap<>();

    private int understood;
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
        require(before.equals(FuzzedSocketPeer.openFds()), "descriptors stay open");
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
        int place = sent.size();
        int taken = peer.send(piece, Collections.nCopies(fds, passed));
        if (taken > 0) {
            sent.write(piece, 0, taken);
            fdsSent.put(place, fds);
        }
    }

    /** Receives all that has come. */
    private void receive() {
        while (!ended) {
            try {
                if (channel.receive() != VhostUserMessageChannel.Received.MESSAGE) {
                    require(!isWhole() && !isRefused(), "a message that has come is not seen");
                    return;
                }
            } catch (FramingViolation refused) {
                require(isRefused(), "refused for nothing: " + refused.getMessage());
                requireNothingReadBehindIt();
                ended = true;
                return;
            }
            require(isWhole() && !isRefused(), "taken for a message");
            check();
            understood = end();
            channel.done();
        }
    }

    private ByteBuffer bytes() {
        return ByteBuffer.wrap(sent.toByteArray())
                .order(ByteOrder.nativeOrder())
                .position(understood)
                .slice()
                .order(ByteOrder.nativeOrder());
    }

    private boolean hasHeader() {
        return sent.size() - understood >= VhostUserSpec.HEADER_BYTES;
    }

    /** Whether the next message has a header that may not be, or more descriptors than a message has. */
    private boolean isRefused() {
        return hasBadHeader() || fds() > MOST_FDS;
    }

    private boolean hasBadHeader() {
        if (!hasHeader()) {
            return false;
        }
        int flags = bytes().getInt(4);
        return (flags & 3) != 1
                || (flags & 4) != 0
                || Integer.compareUnsigned(bytes().getInt(8), VhostUserSpec.MOST_PAYLOAD_BYTES) > 0;
    }

    private boolean isWhole() {
        return hasHeader() && !hasBadHeader() && end() <= sent.size();
    }

    /** Where the next message ends, as far as is known. */
    private int end() {
        int header = understood + VhostUserSpec.HEADER_BYTES;
        return !hasHeader() || hasBadHeader() ? header : header + bytes().getInt(8);
    }

    /** The descriptors of the next message, as far as it has come. */
    private int fds() {
        return fdsSent.subMap(understood, end()).values().stream()
                .mapToInt(Integer::intValue)
                .sum();
    }

    private void check() {
        byte[] payload = new byte[end() - understood - VhostUserSpec.HEADER_BYTES];
        bytes().get(VhostUserSpec.HEADER_BYTES, payload);
        requireEqual(bytes().getInt(0), channel.id(), "id");
        require((bytes().getInt(4) & 8) != 0 == channel.needsReply(), "need_reply");
        require(MemorySegment.ofArray(payload).mismatch(channel.payload()) < 0, "payload");
        requireEqual(fds(), channel.fds().count(), "descriptors");
        try {
            FrontendRequest request = FrontendRequestDecoder.decode(channel.id(), channel.payload(), fds());
            require(request != null, "no request");
        } catch (ProtocolViolation refused) {
            FuzzAssertions.requireOneLine(refused.getMessage());
        }
    }

    private void requireNothingReadBehindIt() {
        // How much was read with too many descriptors the kernel does not tell.
        if (fds() <= MOST_FDS && fdsSent.tailMap(understood).values().stream().allMatch(fds -> fds <= MOST_FDS)) {
            requireEqual(sent.size() - end(), FuzzedSocketPeer.discard(stream), "bytes that have not been read");
        }
    }
}
