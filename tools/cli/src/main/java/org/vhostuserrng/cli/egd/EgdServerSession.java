package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import org.vhostuserrng.backends.GuestRateLimiter;

/**
 * What one client has asked for, is owed and has not read yet. Its memory is bounded: commands that do not fit into
 * {@link #MAX_COMMAND_BYTES} stay in the socket, and no command is looked at before those in front of it are answered.
 */
final class EgdServerSession {
    /** 512 reads one after the other: 127 KiB, more than anybody has use for. */
    static final int MAX_COMMAND_BYTES = 1024;

    static final int MAX_REPLY_BYTES = 1 << 14;

    private static final byte[] PID =
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
    /** All replies but that of a blocking read are written at once, or not yet. */
    private static final int MAX_NON_BLOCKING_REPLY_BYTES = 1 + EgdProtocol.MAX_READ_BYTES;

    private final GuestRateLimiter rateLimiter;
    /** Commands from 0 to the position. */
    private final ByteBuffer commands = ByteBuffer.allocate(MAX_COMMAND_BYTES).order(ByteOrder.BIG_ENDIAN);
    /** Replies from 0 to the position, zeros behind it. */
    private final ByteBuffer replies =
            ByteBuffer.allocateDirect(MAX_REPLY_BYTES).order(ByteOrder.BIG_ENDIAN);

    private int bytesToDiscard;
    private int pendingReadBytes;
    private boolean inputClosed;
    private boolean unknownCommand;
    private boolean enqueued;

    EgdServerSession(GuestRateLimiter quota) {
        this.rateLimiter = quota;
    }

    // --- the client's socket ---------------------------------------------------------------------------------------

    /** Reads commands as far as there is room; the client may have ended its half of the connection after them. */
    void receive(ReadableByteChannel socket) throws IOException {
        inputClosed |= socket.read(commands) < 0;
    }

    /** Writes replies as far as the socket takes them. */
    void send(WritableByteChannel socket) throws IOException {
        int end = replies.position();
        replies.flip();
        try {
            socket.write(replies);
        } finally {
            replies.compact();
            EgdEntropyBuffer.wipe(replies, replies.position(), end - replies.position());
        }
    }

    /** Whether there is something to send. */
    boolean hasReplies() {
        return replies.position() > 0;
    }

    /** Whether more commands can be received now. */
    boolean canReceive() {
        return !inputClosed && !unknownCommand && commands.hasRemaining();
    }

    /** Whether the client has ended its half of the connection. */
    boolean hasInputClosed() {
        return inputClosed;
    }

    /** Whether the connection has served its purpose: nothing more comes, and all that came has been answered. */
    boolean isComplete() {
        return inputClosed && pendingReadBytes == 0 && !hasReplies();
    }

    // --- the protocol ----------------------------------------------------------------------------------------------

    /** Obeys commands in their order, up to one that has to wait for bytes or for the client to read. */
    void handleCommands(EgdRoundRobinScheduler shares, long now) {
        handleUntilBlocked(shares, now);
        if (hasPendingRead()) {
            shares.enqueue(this);
        }
    }

    private void handleUntilBlocked(EgdRoundRobinScheduler shares, long now) {
        commands.flip();
        boolean obeyed = true;
        while (obeyed
                && pendingReadBytes == 0
                && commands.hasRemaining()
                && replies.remaining() >= MAX_NON_BLOCKING_REPLY_BYTES) {
            obeyed = bytesToDiscard > 0 ? discard() : handleNextCommand(shares, now);
        }
        commands.compact();
    }

    private boolean discard() {
        int discarded = Math.min(bytesToDiscard, commands.remaining());
        commands.position(commands.position() + discarded);
        bytesToDiscard -= discarded;
        return true;
    }

    private boolean handleNextCommand(EgdRoundRobinScheduler shares, long now) {
        switch (commands.get(commands.position())) {
            case EgdProtocol.LEVEL -> {
                commands.get();
                replies.putInt(shares.levelBits());
            }
            case EgdProtocol.PID -> {
                commands.get();
                replies.put((byte) PID.length).put(PID);
            }
            case EgdProtocol.READ_NON_BLOCKING -> {
                return hasBytes(2) && readNonBlocking(nextLength(), shares, now);
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

    private boolean readNonBlocking(int length, EgdRoundRobinScheduler shares, long now) {
        int place = replies.position();
        replies.put((byte) 0);
        int moved = shares.readNonBlocking(replies, allowedBytes(now, length));
        charge(now, moved);
        replies.put(place, (byte) moved);
        return true;
    }

    private boolean startBlockingRead(int length) {
        pendingReadBytes = length;
        return true;
    }

    /** A client's bytes could be chosen by an attacker, and nothing here mixes: they are never used. */
    private boolean discardWritten() {
        commands.position(commands.position() + 3);
        bytesToDiscard = Byte.toUnsignedInt(commands.get());
        return true;
    }

    /** Whether the command in front is one that the protocol does not have: the client cannot be followed any longer. */
    boolean hasProtocolError() {
        return unknownCommand;
    }

    /** The command of a client that is {@linkplain #hasProtocolError lost}. */
    int unknownCommand() {
        return Byte.toUnsignedInt(commands.get(0));
    }

    // --- turns -----------------------------------------------------------------------------------------------------

    /** Whether it waits for bytes, and for nothing else. */
    boolean hasPendingRead() {
        return pendingReadBytes > 0 && replies.hasRemaining();
    }

    /** Whether it is in the queue of {@link EgdRoundRobinScheduler}. */
    boolean isEnqueued() {
        return enqueued;
    }

    void enqueued(boolean is) {
        enqueued = is;
    }

    /**
     * Takes a turn: up to {@code most} bytes for the blocking reads in front, one after the other.
     *
     * @return how many it took; 0 if the quota does not allow any, or the client does not read
     */
    int serveBlockingReads(EgdRoundRobinScheduler shares, int most, long now) {
        int drawn = 0;
        int moved = 1;
        while (hasPendingRead() && moved > 0) {
            moved = shares.readBlocking(replies, allowedBytes(now, Math.min(pendingReadBytes, most - drawn)));
            charge(now, moved);
            pendingReadBytes -= moved;
            drawn += moved;
            handleUntilBlocked(shares, now);
        }
        return drawn;
    }

    /** Whether the quota allows bytes now. */
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

    /** When the quota allows bytes again, if it is what the client waits for; else the end of time. */
    long nextAllowedAt(long now) {
        return hasPendingRead() && !canRead(now) ? rateLimiter.nextRefill() : Long.MAX_VALUE;
    }

    void wipe() {
        EgdEntropyBuffer.wipe(replies, 0, replies.capacity());
    }
}
