package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** One client connection: its socket, selection key and protocol session. */
final class EgdServerConnection implements AutoCloseable {
    /** How long a client that has shut down its output may still receive replies. */
    private static final long CLOSE_DELAY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final String name;
    private final SocketChannel socket;
    private final SelectionKey key;
    private final EgdServerSession session;
    private final EgdRoundRobinScheduler scheduler;
    private long inputClosedAt;

    /** Makes the socket non-blocking and registers it with {@code selector}. */
    EgdServerConnection(
            String name,
            SocketChannel socket,
            Selector selector,
            EgdServerSession session,
            EgdRoundRobinScheduler scheduler)
            throws IOException {
        this.name = name;
        this.socket = socket;
        this.session = session;
        this.scheduler = scheduler;
        socket.configureBlocking(false);
        key = socket.register(selector, SelectionKey.OP_READ, this);
    }

    String name() {
        return name;
    }

    EgdServerSession session() {
        return session;
    }

    /** Receives and handles commands and sends replies, without blocking. */
    void onReady(long now) throws IOException {
        if (session.canReceive() && key.isReadable()) {
            session.receive(socket);
            inputClosedAt = now;
        }
        session.handleCommands(scheduler, now);
        flush(now);
    }

    /** Sends replies, handles commands that waited for space for their replies, and updates the interest set. */
    void flush(long now) throws IOException {
        if (session.hasReplies()) {
            session.send(socket);
            session.handleCommands(scheduler, now);
        }
        int reading = session.canReceive() ? SelectionKey.OP_READ : 0;
        int writing = session.hasReplies() ? SelectionKey.OP_WRITE : 0;
        key.interestOps(reading | writing);
    }

    /** Whether the socket's send buffer is full; the selector reports when it is writable. */
    boolean isWriteBlocked() {
        return (key.interestOps() & SelectionKey.OP_WRITE) != 0;
    }

    /** Whether the connection must be closed. */
    boolean isDone(long now) {
        return session.hasProtocolError() || session.isComplete() || closeDeadline() <= now;
    }

    /** The time at which the connection must be closed even if nothing happens, or {@code Long.MAX_VALUE}. */
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
