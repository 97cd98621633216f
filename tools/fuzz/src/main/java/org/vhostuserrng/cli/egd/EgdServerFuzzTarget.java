package org.vhostuserrng.cli.egd;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.fuzz.FuzzInputReader;

/**
 * Fuzzes the EGD server with a client that sends arbitrary bytes in pieces and reads replies in pieces. The server must
 * reply to all commands before the first invalid one, in order and completely, and must send each byte of the source
 * only once.
 *
 * <p>Input: steps that begin with an opcode byte. Opcodes below {@link #SEND}: the client sends as many of the bytes
 * that follow as the opcode says. From {@link #SEND}: the source gets more bytes. From {@link #ALLOW}: the client
 * accepts more reply bytes.
 */
public final class EgdServerFuzzTarget {
    static final int SEND = 128;
    static final int ALLOW = 192;
    /** Number of bytes per unit of the opcode: large enough that a few steps exceed the buffers. */
    private static final int UNIT = 17;
    /** The source returns the bytes from 1 to this value again and again. */
    private static final int PERIOD = 255;

    private final EgdRoundRobinScheduler scheduler = new EgdRoundRobinScheduler();
    private final EgdServerSession session = new EgdServerSession(new GuestRateLimiter(RateLimitConfig.NONE));
    private final ByteArrayOutputStream commands = new ByteArrayOutputStream();
    private final ByteArrayOutputStream replies = new ByteArrayOutputStream();
    private final FakeClientChannel client = new FakeClientChannel();
    private final SequenceSource source = new SequenceSource();
    private ByteBuffer unread = ByteBuffer.allocate(0);
    private int replyRoom;
    private int sourceLimit;
    private int sourceGiven;

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
        int opcode = input.u8();
        if (opcode < SEND) {
            byte[] piece = input.bytes(opcode);
            commands.writeBytes(piece);
            unread = ByteBuffer.allocate(unread.remaining() + piece.length)
                    .put(unread)
                    .put(piece)
                    .flip();
        } else if (opcode < ALLOW) {
            sourceLimit += (opcode - SEND) * UNIT;
        } else {
            replyRoom += (opcode - ALLOW) * UNIT;
        }
    }

    private void end() throws IOException {
        sourceLimit = Integer.MAX_VALUE;
        replyRoom = Integer.MAX_VALUE;
        int before;
        do {
            before = unread.remaining() - replies.size();
            serve();
        } while (unread.remaining() - replies.size() != before || session.hasReplies());
        checkReplies();
    }

    /** Runs one round of the server, as if the client's socket or the source had become ready. */
    private void serve() throws IOException {
        if (session.canReceive()) {
            session.receive(client);
        }
        session.handleCommands(scheduler, 0);
        scheduler.distribute(source, 0);
        if (session.hasReplies()) {
            session.send(client);
        }
        session.handleCommands(scheduler, 0);
    }

    /** Checks the replies against the commands that were sent. */
    private void checkReplies() {
        ByteBuffer asked = ByteBuffer.wrap(commands.toByteArray());
        ByteBuffer answers = ByteBuffer.wrap(replies.toByteArray());
        int checked = 0;
        boolean valid = true;
        while (valid && asked.hasRemaining()) {
            int command = asked.get();
            boolean complete = command == EgdProtocol.LEVEL || command == EgdProtocol.PID || asked.hasRemaining();
            if (!complete) {
                break;
            }
            switch (command) {
                case EgdProtocol.LEVEL -> require(answers.getInt() >= 0, "negative entropy level");
                case EgdProtocol.PID -> skip(answers, answers.get());
                case EgdProtocol.READ_NON_BLOCKING -> {
                    int requested = Byte.toUnsignedInt(asked.get());
                    int length = Byte.toUnsignedInt(answers.get());
                    require(length <= requested, "more bytes than requested");
                    checked = check(answers, checked, length);
                }
                case EgdProtocol.READ_BLOCKING -> checked = check(answers, checked, Byte.toUnsignedInt(asked.get()));
                case EgdProtocol.WRITE -> valid = skipWritten(asked);
                default -> valid = false;
            }
        }
        require(!answers.hasRemaining(), "reply without a command");
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

    private static int check(ByteBuffer answers, int position, int length) {
        for (int i = 0; i < length; i++) {
            requireEqual(byteAt(position + i), answers.get(), "source byte");
        }
        return position + length;
    }

    private static byte byteAt(int position) {
        return (byte) (1 + position % PERIOD);
    }

    private final class SequenceSource implements EntropySource {
        @Override
        public int fill(MemorySegment target, long offset, int length) {
            int filled = Math.min(length, sourceLimit - sourceGiven);
            for (int i = 0; i < filled; i++) {
                target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(sourceGiven++));
            }
            return filled;
        }

        @Override
        public void close() {
            sourceLimit = sourceGiven;
        }
    }

    private final class FakeClientChannel implements ByteChannel {
        @Override
        public int read(ByteBuffer target) {
            int length = Math.min(target.remaining(), unread.remaining());
            target.put(unread.slice(unread.position(), length));
            unread.position(unread.position() + length);
            return length;
        }

        @Override
        public int write(ByteBuffer source) {
            byte[] written = new byte[Math.min(replyRoom, source.remaining())];
            source.get(written);
            replies.writeBytes(written);
            replyRoom -= written.length;
            return written.length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            throw new AssertionError("closed by the session");
        }
    }
}
