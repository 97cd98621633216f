package org.vhostuserrng.cli.egd;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import org.vhostuserrng.backends.EntropySource;
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.backends.RateLimitConfig;
import org.vhostuserrng.fuzz.FuzzInputReader;

/**
 * An EGD client that sends anything in pieces and reads as it likes: every command is answered in its order and with what
 * it asked for, up to the first that is none; each byte of the source goes out once.
 *
 * <p>As bytes: steps, each an u8: so many bytes that follow are sent; or the source has some more; or the client reads
 * some more.
 */
public final class EgdServerFuzzTarget {
    static final int SEND = 128;
    static final int ALLOW = 192;
    private static final int LARGE = 17;
    private static final int PERIOD = 255;

    private final EgdRoundRobinScheduler shares = new EgdRoundRobinScheduler();
    private final EgdServerSession conversation = new EgdServerSession(new GuestRateLimiter(RateLimitConfig.NONE));
    private final ByteArrayOutputStream commands = new ByteArrayOutputStream();
    private final ByteArrayOutputStream replies = new ByteArrayOutputStream();
    private final Client client = new Client();
    private final EgdSequenceSource source = new EgdSequenceSource();
    private ByteBuffer unread = ByteBuffer.allocate(0);
    private int room;
    private int allowed;
    private int given;

    private EgdServerFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        EgdServerFuzzTarget target = new EgdServerFuzzTarget();
        FuzzInputReader input = new FuzzInputReader(bytes);
        while (input.hasMore()) {
            target.step(input);
            target.serve();
        }
        target.end();
    }

    private void step(FuzzInputReader input) {
        int kind = input.u8();
        if (kind < SEND) {
            byte[] piece = input.bytes(kind);
            commands.writeBytes(piece);
            unread = ByteBuffer.allocate(unread.remaining() + piece.length)
                    .put(unread)
                    .put(piece)
                    .flip();
        } else if (kind < ALLOW) {
            allowed += (kind - SEND) * LARGE;
        } else {
            room += (kind - ALLOW) * LARGE;
        }
    }

    private void end() throws IOException {
        allowed = Integer.MAX_VALUE;
        room = Integer.MAX_VALUE;
        int before;
        do {
            before = unread.remaining() - replies.size();
            serve();
        } while (unread.remaining() - replies.size() != before || conversation.hasReplies());
        checkReplies();
    }

    /** What the server does when the client's socket is ready, or the source is. */
    private void serve() throws IOException {
        if (conversation.canReceive()) {
            conversation.receive(client);
        }
        conversation.handleCommands(shares, 0);
        shares.distribute(source, 0);
        if (conversation.hasReplies()) {
            conversation.send(client);
        }
        conversation.handleCommands(shares, 0);
    }

    /** Reads the replies as the client has to: by its own commands. */
    private void checkReplies() {
        ByteBuffer asked = ByteBuffer.wrap(commands.toByteArray());
        ByteBuffer answers = ByteBuffer.wrap(replies.toByteArray());
        int taken = 0;
        boolean understood = true;
        while (understood && asked.hasRemaining()) {
            int command = asked.get();
            boolean whole = command == EgdProtocol.LEVEL || command == EgdProtocol.PID || asked.hasRemaining();
            if (!whole) {
                break;
            }
            switch (command) {
                case EgdProtocol.LEVEL -> require(answers.getInt() >= 0, "a negative level");
                case EgdProtocol.PID -> skip(answers, answers.get());
                case EgdProtocol.READ_NON_BLOCKING -> {
                    int most = Byte.toUnsignedInt(asked.get());
                    int length = Byte.toUnsignedInt(answers.get());
                    require(length <= most, "more than was asked for");
                    taken = check(answers, taken, length);
                }
                case EgdProtocol.READ_BLOCKING -> taken = check(answers, taken, Byte.toUnsignedInt(asked.get()));
                case EgdProtocol.WRITE -> understood = skipWritten(asked);
                default -> understood = false;
            }
        }
        require(!answers.hasRemaining(), "replies to nothing");
    }

    private static boolean skipWritten(ByteBuffer asked) {
        if (asked.remaining() < 3) {
            return false;
        }
        skip(asked, 2);
        int length = Byte.toUnsignedInt(asked.get());
        skip(asked, Math.min(asked.remaining(), length));
        return true;
    }

    private static void skip(ByteBuffer bytes, int length) {
        bytes.position(bytes.position() + length);
    }

    private static int check(ByteBuffer answers, int taken, int length) {
        for (int i = 0; i < length; i++) {
            requireEqual(byteAt(taken + i), answers.get(), "byte of the source");
        }
        return taken + length;
    }

    private static byte byteAt(int place) {
        return (byte) (1 + place % PERIOD);
    }

    private final class EgdSequenceSource implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            int filled = Math.min(length, allowed - given);
            for (int i = 0; i < filled; i++) {
                target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(given++));
            }
            return filled;
        }

        @Override
        public void close() {
            allowed = given;
        }
    }

    private final class Client implements ByteChannel {
        @Override
        public int read(ByteBuffer target) {
            int length = Math.min(target.remaining(), unread.remaining());
            target.put(unread.slice(unread.position(), length));
            unread.position(unread.position() + length);
            return length;
        }

        @Override
        public int write(ByteBuffer source) {
            byte[] written = new byte[Math.min(room, source.remaining())];
            source.get(written);
            replies.writeBytes(written);
            room -= written.length;
            return written.length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            throw new AssertionError("closed by the conversation");
        }
    }
}
