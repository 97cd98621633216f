package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * One client connection: its socket, selection key and protocol session. After the client has shut down its output, the
 * connection stays open until the replies to all commands are sent.
 */
final class EgdServerConnection implements AutoCloseable {
    /** A client is disconnected if it does not read its replies for this long. */
    private static final long UNREAD_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(30);

    /**
     * The client.
     *
     * @param name name of the client in log lines
     * @param dialer the dialer that made the connection; null for an accepted connection
     * @param limit rate limit of the client's address
     */
    record Peer(String name, EgdDialer dialer, EgdClientRateLimits.AddressLimit limit) {}

    private final Peer peer;
    private final SocketChannel socket;
    private final SelectionKey key;
    private final EgdServerSession session;
    private final EgdRoundRobinScheduler scheduler;
    /** The time at which the last byte was received or sent. */
    private long lastActivity;

    /** Makes the socket non-blocking and registers it with {@code selector}. */
    EgdServerConnection(Peer peer, SocketChannel socket, Selector selector, EgdRoundRobinScheduler scheduler, long now)
            throws IOException {
        this.peer = peer;
        this.socket = socket;
        this.session = new EgdServerSession(peer.limit().limiter());
        this.scheduler = scheduler;
        this.lastActivity = now;
        socket.configureBlocking(false);
        key = socket.register(selector, SelectionKey.OP_READ, this);
    }

    Peer peer() {
        return peer;
    }

    EgdServerSession session() {
        return session;
    }

    /** Receives and handles commands, and sends replies. Does not block. */
    void onReady(long now) throws IOException {
        if (session.canReceive() && key.isReadable() && session.receive(socket) > 0) {
            lastActivity = now;
        }
        session.handleCommands(scheduler, now);
        flush(now);
    }

    /** Sends replies, handles commands that have waited for space for their replies, and updates the interest set. */
    void flush(long now) throws IOException {
        if (session.hasReplies()) {
            if (session.send(socket) > 0) {
                lastActivity = now;
            }
            session.handleCommands(scheduler, now);
        }
        int reading = session.canReceive() ? SelectionKey.OP_READ : 0;
        int writing = session.hasReplies() ? SelectionKey.OP_WRITE : 0;
        key.interestOps(reading | writing);
    }

    /** Whether the socket's send buffer is full. The selector then reports when the socket is writable. */
    boolean isWriteBlocked() {
        return (key.interestOps() & SelectionKey.OP_WRITE) != 0;
    }

    /** Whether the connection must be closed. */
    boolean isDone(long now) {
        return session.hasProtocolError() || session.isComplete() || closeDeadline() <= now;
    }

    /** The time at which the connection must be closed if no byte is received or sent, or {@code Long.MAX_VALUE}. */
    long closeDeadline() {
        return session.hasReplies() ? lastActivity + UNREAD_TIMEOUT_NANOS : Long.MAX_VALUE;
    }

    /** The time at which the last byte was received or sent. */
    long lastActivity() {
        return lastActivity;
    }

    @Override
    public void close() throws IOException {
        scheduler.remove(session);
        session.wipe();
        socket.close();
    }
}
