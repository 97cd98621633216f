package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/**
 * What one client has asked for, is owed and has not read yet. Its memory is bounded: commands that do not fit into
 * {@link #MOST_COMMAND_BYTES} stay in the socket, and no command is looked at before those in front of it are answered.
 */
final class EgdServerSession {
    /** 512 reads one after the other: 127 KiB, more than anybody has use for. */
    static final int MOST_COMMAND_BYTES = 1024;

    static final int MOST_REPLY_BYTES = 1 << 14;

    private static final byte[] PID =
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
    /** All replies but that of a blocking read are written at once, or not yet. */
    private static final int LONGEST_REPLY = 1 + EgdProtocol.LARGEST_READ;

    private final GuestRateLimiter quota;
    /** Commands from 0 to the position. */
    private final ByteBuffer commands = ByteBuffer.allocate(MOST_COMMAND_BYTES).order(ByteOrder.BIG_ENDIAN);
    /** Replies from 0 to the position, zeros behind it. */
    private final ByteBuffer replies =
            ByteBuffer.allocateDirect(MOST_REPLY_BYTES).order(ByteOrder.BIG_ENDIAN);

    private int toDiscard;
    private int owed;
    private boolean ended;
    private boolean unknownCommand;
    private boolean waiting;

    EgdServerSession(GuestRateLimiter quota) {
        this.quota = quota;
    }

    // --- the client's socket ---------------------------------------------------------------------------------------

    /** Reads commands as far as there is room; the client may have ended its half of the connection after them. */
    void receive(ReadableByteChannel socket) throws IOException {
        ended |= socket.read(commands) < 0;
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
    boolean hasRoom() {
        return !ended && !unknownCommand && commands.hasRemaining();
    }

    /** Whether the client has ended its half of the connection. */
    boolean hasEnded() {
        return ended;
    }

    /** Whether the connection has served its purpose: nothing more comes, and all that came has been answered. */
    boolean isFinished() {
        return ended && owed == 0 && !hasReplies();
    }

    // --- the protocol ----------------------------------------------------------------------------------------------

    /** Obeys commands in their order, up to one that has to wait for bytes or for the client to read. */
    void obey(EgdRoundRobinScheduler shares, long now) {
        obeyUntilOwed(shares, now);
        if (isOwed()) {
            shares.await(this);
        }
    }

    private void obeyUntilOwed(EgdRoundRobinScheduler shares, long now) {
        commands.flip();
        boolean obeyed = true;
        while (obeyed && owed == 0 && commands.hasRemaining() && replies.remaining() >= LONGEST_REPLY) {
            obeyed = toDiscard > 0 ? discard() : obeyNext(shares, now);
        }
        commands.compact();
    }

    private boolean discard() {
        int discarded = Math.min(toDiscard, commands.remaining());
        commands.position(commands.position() + discarded);
        toDiscard -= discarded;
        return true;
    }

    private boolean obeyNext(EgdRoundRobinScheduler shares, long now) {
        switch (commands.get(commands.position())) {
            case EgdProtocol.LEVEL -> {
                commands.get();
                replies.putInt(shares.level());
            }
            case EgdProtocol.PID -> {
                commands.get();
                replies.put((byte) PID.length).put(PID);
            }
            case EgdProtocol.READ_NON_BLOCKING -> {
                return isWhole(2) && readAtOnce(nextLength(), shares, now);
            }
            case EgdProtocol.READ_BLOCKING -> {
                return isWhole(2) && owe(nextLength());
            }
            case EgdProtocol.WRITE -> {
                return isWhole(4) && discardWritten();
            }
            default -> {
                unknownCommand = true;
                return false;
            }
        }
        return true;
    }

    private boolean isWhole(int length) {
        return commands.remaining() >= length;
    }

    private int nextLength() {
        commands.get();
        return Byte.toUnsignedInt(commands.get());
    }

    private boolean readAtOnce(int length, EgdRoundRobinScheduler shares, long now) {
        int place = replies.position();
        replies.put((byte) 0);
        int moved = shares.moveAtOnce(replies, allowed(now, length));
        charge(now, moved);
        replies.put(place, (byte) moved);
        return true;
    }

    private boolean owe(int length) {
        owed = length;
        return true;
    }

    /** A client's bytes could be chosen by an attacker, and nothing here mixes: they are never used. */
    private boolean discardWritten() {
        commands.position(commands.position() + 3);
        toDiscard = Byte.toUnsignedInt(commands.get());
        return true;
    }

    /** Whether the command in front is one that the protocol does not have: the client cannot be followed any longer. */
    boolean isLost() {
        return unknownCommand;
    }

    /** The command of a client that is {@linkplain #isLost lost}. */
    int unknownCommand() {
        return Byte.toUnsignedInt(commands.get(0));
    }

    // --- turns -----------------------------------------------------------------------------------------------------

    /** Whether it waits for bytes, and for nothing else. */
    boolean isOwed() {
        return owed > 0 && replies.hasRemaining();
    }

    /** Whether it is in the queue of {@link EgdRoundRobinScheduler}. */
    boolean isWaiting() {
        return waiting;
    }

    void waiting(boolean is) {
        waiting = is;
    }

    /**
     * Takes a turn: up to {@code most} bytes for the blocking reads in front, one after the other.
     *
     * @return how many it took; 0 if the quota does not allow any, or the client does not read
     */
    int draw(EgdRoundRobinScheduler shares, int most, long now) {
        int drawn = 0;
        int moved = 1;
        while (isOwed() && moved > 0) {
            moved = shares.moveInTurn(replies, allowed(now, Math.min(owed, most - drawn)));
            charge(now, moved);
            owed -= moved;
            drawn += moved;
            obeyUntilOwed(shares, now);
        }
        return drawn;
    }

    /** Whether the quota allows bytes now. */
    boolean isAllowed(long now) {
        return quota.grant(now, 1) > 0;
    }

    private int allowed(long now, int wanted) {
        return wanted == 0 ? 0 : (int) quota.grant(now, wanted);
    }

    private void charge(long now, int moved) {
        if (moved > 0) {
            quota.charge(now, moved);
        }
    }

    /** When the quota allows bytes again, if it is what the client waits for; else the end of time. */
    long allowedAgain(long now) {
        return isOwed() && !isAllowed(now) ? quota.nextGrantTime() : Long.MAX_VALUE;
    }

    void wipe() {
        EgdEntropyBuffer.wipe(replies, 0, replies.capacity());
    }
}
