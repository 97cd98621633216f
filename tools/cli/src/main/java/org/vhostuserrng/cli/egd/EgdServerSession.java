package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/**
 * The protocol state of one client: received commands, the pending blocking read and unsent replies. Memory is bounded:
 * commands beyond {@link #MAX_COMMAND_BYTES} stay in the socket, and a command is handled only if there is space for
 * its reply.
 */
final class EgdServerSession {
    /** Space for the commands of 512 pipelined reads, whose replies are 127 KiB long in total. */
    static final int MAX_COMMAND_BYTES = 1024;

    static final int MAX_REPLY_BYTES = 1 << 14;

    private static final byte[] PID =
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
    /**
     * Maximum size of a reply that must be written to the buffer as a whole. Only the reply to a blocking read may be
     * written in parts.
     */
    private static final int MAX_NON_BLOCKING_REPLY_BYTES = 1 + EgdProtocol.MAX_READ_BYTES;

    private final GuestRateLimiter rateLimiter;
    /** Received commands, from index 0 to the position of the buffer. */
    private final ByteBuffer commands = ByteBuffer.allocate(MAX_COMMAND_BYTES).order(ByteOrder.BIG_ENDIAN);
    /** Unsent replies, from index 0 to the position of the buffer; zeros after the position. */
    private final ByteBuffer replies =
            ByteBuffer.allocateDirect(MAX_REPLY_BYTES).order(ByteOrder.BIG_ENDIAN);

    private int bytesToDiscard;
    private int pendingReadBytes;
    private boolean inputClosed;
    private boolean unknownCommand;
    private boolean enqueued;

    EgdServerSession(GuestRateLimiter rateLimiter) {
        this.rateLimiter = rateLimiter;
    }

    // The client's socket.

    /**
     * Receives as many commands as the buffer can hold, and records whether the client has shut down its output.
     * Returns the number of bytes.
     */
    int receive(ReadableByteChannel socket) throws IOException {
        int received = socket.read(commands);
        inputClosed |= received < 0;
        return Math.max(0, received);
    }

    /** Sends as many bytes of the replies as the socket accepts, and wipes them. Returns the number of sent bytes. */
    int send(WritableByteChannel socket) throws IOException {
        int end = replies.position();
        replies.flip();
        try {
            return socket.write(replies);
        } finally {
            replies.compact();
            EgdEntropyBuffer.wipe(replies, replies.position(), end - replies.position());
        }
    }

    /** Whether there are unsent replies. */
    boolean hasReplies() {
        return replies.position() > 0;
    }

    /** Whether more commands can be received now. */
    boolean canReceive() {
        return !inputClosed && !unknownCommand && commands.hasRemaining();
    }

    /** Whether the client has shut down its output and all replies are sent. */
    boolean isComplete() {
        return inputClosed && pendingReadBytes == 0 && !hasReplies();
    }

    /** Whether the client waits for the reply to a blocking read, and has received all earlier replies. */
    boolean awaitsReply() {
        return pendingReadBytes > 0 && !hasReplies();
    }

    // The protocol.

    /** Handles commands in order, up to the first one that must wait for entropy or for space for its reply. */
    void handleCommands(EgdRoundRobinScheduler scheduler, long now) {
        handleUntilBlocked(scheduler, now);
        if (hasPendingRead()) {
            scheduler.enqueue(this);
        }
    }

    private void handleUntilBlocked(EgdRoundRobinScheduler scheduler, long now) {
        commands.flip();
        boolean handled = true;
        while (handled
                && pendingReadBytes == 0
                && commands.hasRemaining()
                && replies.remaining() >= MAX_NON_BLOCKING_REPLY_BYTES) {
            handled = bytesToDiscard > 0 ? discard() : handleNextCommand(scheduler, now);
        }
        commands.compact();
    }

    private boolean discard() {
        int discarded = Math.min(bytesToDiscard, commands.remaining());
        commands.position(commands.position() + discarded);
        bytesToDiscard -= discarded;
        return true;
    }

    private boolean handleNextCommand(EgdRoundRobinScheduler scheduler, long now) {
        switch (commands.get(commands.position())) {
            case EgdProtocol.LEVEL -> {
                commands.get();
                replies.putInt(scheduler.levelBits(now));
            }
            case EgdProtocol.PID -> {
                commands.get();
                replies.put((byte) PID.length).put(PID);
            }
            case EgdProtocol.READ_NON_BLOCKING -> {
                return hasBytes(2) && readNonBlocking(nextLength(), scheduler, now);
            }
            case EgdProtocol.READ_BLOCKING -> {
                return hasBytes(2) && startBlockingRead(nextLength());
            }
            case EgdProtocol.WRITE -> {
                return hasBytes(4) && discardWritten();
            }
            default -> {
                unknownCommand = true;
                return false;
            }
        }
        return true;
    }

    private boolean hasBytes(int length) {
        return commands.remaining() >= length;
    }

    private int nextLength() {
        commands.get();
        return Byte.toUnsignedInt(commands.get());
    }

    private boolean readNonBlocking(int length, EgdRoundRobinScheduler scheduler, long now) {
        int lengthPosition = replies.position();
        replies.put((byte) 0);
        int moved = scheduler.readNonBlocking(replies, allowedBytes(now, length), now);
        charge(now, moved);
        replies.put(lengthPosition, (byte) moved);
        return true;
    }

    private boolean startBlockingRead(int length) {
        pendingReadBytes = length;
        return true;
    }

    /**
     * Discards the bytes of a write command: an attacker may have chosen them, and the server does not mix sources.
     */
    private boolean discardWritten() {
        commands.position(commands.position() + 3);
        bytesToDiscard = Byte.toUnsignedInt(commands.get());
        return true;
    }

    /** Whether the next command is unknown. The bytes after it can then not be parsed. */
    boolean hasProtocolError() {
        return unknownCommand;
    }

    /** The unknown command of a client that {@linkplain #hasProtocolError has violated the protocol}. */
    int unknownCommand() {
        return Byte.toUnsignedInt(commands.get(0));
    }

    // Scheduling.

    /** Whether a blocking read waits for bytes and there is space for its reply. */
    boolean hasPendingRead() {
        return pendingReadBytes > 0 && replies.hasRemaining();
    }

    /** Whether the session is in the queue of the {@link EgdRoundRobinScheduler}. */
    boolean isEnqueued() {
        return enqueued;
    }

    void setEnqueued(boolean enqueued) {
        this.enqueued = enqueued;
    }

    /**
     * Serves pending blocking reads, one after the other, with up to {@code most} bytes in total.
     *
     * @return number of bytes served; 0 if the session is throttled or its reply buffer is full
     */
    int serveBlockingReads(EgdRoundRobinScheduler scheduler, int most, long now) {
        int served = 0;
        int moved = 1;
        while (hasPendingRead() && moved > 0) {
            moved = scheduler.readBlocking(replies, allowedBytes(now, Math.min(pendingReadBytes, most - served)));
            charge(now, moved);
            pendingReadBytes -= moved;
            served += moved;
            handleUntilBlocked(scheduler, now);
        }
        return served;
    }

    /** Whether the rate limit allows a byte now. */
    boolean canRead(long now) {
        return rateLimiter.grant(now, 1) > 0;
    }

    private int allowedBytes(long now, int wanted) {
        return wanted == 0 ? 0 : (int) rateLimiter.grant(now, wanted);
    }

    private void charge(long now, int moved) {
        if (moved > 0) {
            rateLimiter.charge(now, moved);
        }
    }

    /**
     * If a pending read is throttled, the time at which the rate limit allows bytes again; otherwise
     * {@code Long.MAX_VALUE}.
     */
    long nextAllowedAt(long now) {
        return hasPendingRead() && !canRead(now) ? rateLimiter.nextGrantTime() : Long.MAX_VALUE;
    }

    void wipe() {
        EgdEntropyBuffer.wipe(replies, 0, replies.capacity());
    }
}
