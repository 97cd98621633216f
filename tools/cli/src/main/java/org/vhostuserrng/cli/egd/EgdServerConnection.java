package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** One connection: a socket and the conversation over it. */
final class EgdServerConnection implements AutoCloseable {
    /** A client that has ended its half of the connection may be gone: it is not waited for longer. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final String name;
    private final SocketChannel socket;
    private final SelectionKey key;
    private final EgdServerSession conversation;
    private final EgdRoundRobinScheduler shares;
    private long endedAt;

    /** A client that is not blocking, and watched by {@code selector}. */
    EgdServerConnection(
            String name,
            SocketChannel socket,
            Selector selector,
            EgdServerSession conversation,
            EgdRoundRobinScheduler shares)
            throws IOException {
        this.name = name;
        this.socket = socket;
        this.conversation = conversation;
        this.shares = shares;
        socket.configureBlocking(false);
        key = socket.register(selector, SelectionKey.OP_READ, this);
    }

    String name() {
        return name;
    }

    EgdServerSession conversation() {
        return conversation;
    }

    /** Reads and writes what can be, and obeys the commands that came. */
    void advance(long now) throws IOException {
        if (conversation.hasRoom() && key.isReadable()) {
            conversation.receive(socket);
            endedAt = now;
        }
        conversation.obey(shares, now);
        flush(now);
    }

    /** Writes what can be written, obeys the commands that had no room for their replies, and says what to watch. */
    void flush(long now) throws IOException {
        if (conversation.hasReplies()) {
            conversation.send(socket);
            conversation.obey(shares, now);
        }
        int reading = conversation.hasRoom() ? SelectionKey.OP_READ : 0;
        int writing = conversation.hasReplies() ? SelectionKey.OP_WRITE : 0;
        key.interestOps(reading | writing);
    }

    /** Whether the socket takes no more at present: the selector will tell when it does. */
    boolean isStuck() {
        return (key.interestOps() & SelectionKey.OP_WRITE) != 0;
    }

    /** Whether the connection is to be closed. */
    boolean isOver(long now) {
        return conversation.isLost() || conversation.isFinished() || lingersUntil() <= now;
    }

    /** When it {@linkplain #isOver is over} though nothing happens. */
    long lingersUntil() {
        return conversation.hasEnded() ? endedAt + LINGER_NANOS : Long.MAX_VALUE;
    }

    @Override
    public void close() throws IOException {
        shares.forget(conversation);
        conversation.wipe();
        socket.close();
    }
}
