package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** One connection: a socket and the conversation over it. */
final class EgdServerConnection implements AutoCloseable {
    /** A client that has ended its half of the connection may be gone: it is not waited for longer. */
    private static final long CLOSE_DELAY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final String name;
    private final SocketChannel socket;
    private final SelectionKey key;
    private final EgdServerSession session;
    private final EgdRoundRobinScheduler scheduler;
    private long inputClosedAt;

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
        this.session = conversation;
        this.scheduler = shares;
        socket.configureBlocking(false);
        key = socket.register(selector, SelectionKey.OP_READ, this);
    }

    String name() {
        return name;
    }

    EgdServerSession session() {
        return session;
    }

    /** Reads and writes what can be, and obeys the commands that came. */
    void onReady(long now) throws IOException {
        if (session.canReceive() && key.isReadable()) {
            session.receive(socket);
            inputClosedAt = now;
        }
        session.handleCommands(scheduler, now);
        flush(now);
    }

    /** Writes what can be written, obeys the commands that had no room for their replies, and says what to watch. */
    void flush(long now) throws IOException {
        if (session.hasReplies()) {
            session.send(socket);
            session.handleCommands(scheduler, now);
        }
        int reading = session.canReceive() ? SelectionKey.OP_READ : 0;
        int writing = session.hasReplies() ? SelectionKey.OP_WRITE : 0;
        key.interestOps(reading | writing);
    }

    /** Whether the socket takes no more at present: the selector will tell when it does. */
    boolean isWriteBlocked() {
        return (key.interestOps() & SelectionKey.OP_WRITE) != 0;
    }

    /** Whether the connection is to be closed. */
    boolean isDone(long now) {
        return session.hasProtocolError() || session.isComplete() || closeDeadline() <= now;
    }

    /** When it {@linkplain #isDone is over} though nothing happens. */
    long closeDeadline() {
        return session.hasInputClosed() ? inputClosedAt + CLOSE_DELAY_NANOS : Long.MAX_VALUE;
    }

    @Override
    public void close() throws IOException {
        scheduler.remove(session);
        session.wipe();
        socket.close();
    }
}
