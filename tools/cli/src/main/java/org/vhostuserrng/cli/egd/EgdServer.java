package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.backends.source.EntropySource;

/** The EGD server: listens and serves all clients on the thread that calls {@link #run}. */
final class EgdServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EgdServer.class);
    private static final int BACKLOG = 128;
    /** Delay before a failed source is read again, and before accept(2) is retried after an error. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * Limits of the connections.
     *
     * @param maxClients maximum number of simultaneous connections
     * @param maxBytes maximum number of bytes per connection and period, or {@link GuestRateLimiter#UNLIMITED}
     * @param periodMillis length of the period in milliseconds
     */
    record ConnectionLimits(int maxClients, long maxBytes, int periodMillis) {}

    private final ConnectionLimits limits;
    private final Selector selector;
    private final EgdListenAddress requestedAddress;
    private final String address;
    private final ServerSocketChannel listener;
    private final SelectionKey acceptKey;
    private final EgdRoundRobinScheduler scheduler = new EgdRoundRobinScheduler();
    private final List<EgdServerConnection> connections = new ArrayList<>();
    private long connectionCount;
    private boolean rejecting;
    private long acceptAgainAt = Long.MAX_VALUE;
    private long wakeAt;
    private volatile boolean stopped;

    private EgdServer(EgdListenAddress asked, ServerSocketChannel listener, Selector selector, ConnectionLimits limits)
            throws IOException {
        this.requestedAddress = asked;
        this.limits = limits;
        this.selector = selector;
        this.listener = listener;
        this.address = EgdListenAddress.describe(listener.getLocalAddress());
        listener.configureBlocking(false);
        acceptKey = listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /**
     * Opens the listening socket. Clients are served once {@link #run} is called.
     *
     * @throws IOException if the address cannot be bound, with the address in the message
     */
    static EgdServer listen(EgdListenAddress address, ConnectionLimits limits) throws IOException {
        Selector selector = Selector.open();
        try {
            return new EgdServer(address, address.listen(BACKLOG), selector, limits);
        } catch (IOException failed) {
            selector.close();
            throw failed;
        }
    }

    /** The bound address, with the actual port if port 0 was requested. */
    String address() {
        return address;
    }

    /** Makes {@link #run} read from the source. Any thread may call this. */
    void onSourceReady() {
        selector.wakeup();
    }

    /** Makes {@link #run} return. Any thread may call this. */
    void stop() {
        stopped = true;
        selector.wakeup();
    }

    /** Serves clients until {@link #stop} is called. */
    void run(EntropySource source) throws IOException {
        while (!stopped) {
            awaitEvents();
            long now = System.nanoTime();
            wakeAt = Long.MAX_VALUE;
            handleReadyKeys(now);
            serve(source, now);
            closeDoneConnections(now);
        }
    }

    private void awaitEvents() throws IOException {
        if (wakeAt == Long.MAX_VALUE) {
            selector.select();
        } else {
            long nanos = wakeAt - System.nanoTime();
            if (nanos <= 0) {
                selector.selectNow();
            } else {
                // Rounded up to milliseconds, so that the loop does not wake up just before the deadline.
                selector.select(TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
            }
        }
    }

    private void wakeAt(long time) {
        wakeAt = Math.min(wakeAt, time);
    }

    private void handleReadyKeys(long now) {
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.attachment() instanceof EgdServerConnection client) {
                closeOnError(client, () -> client.onReady(now));
            } else {
                accept(now);
            }
        }
        selector.selectedKeys().clear();
        if (acceptAgainAt <= now) {
            acceptKey.interestOps(SelectionKey.OP_ACCEPT);
        } else {
            wakeAt(acceptAgainAt);
        }
    }

    // Connections.

    private void accept(long now) {
        try {
            SocketChannel socket = listener.accept();
            for (int accepted = 1; socket != null; accepted++) {
                acceptAgainAt = Long.MAX_VALUE;
                admit(socket);
                socket = accepted < BACKLOG ? listener.accept() : null;
            }
        } catch (IOException failed) {
            // The selector would report the same pending connection again immediately.
            acceptKey.interestOps(0);
            if (acceptAgainAt == Long.MAX_VALUE) {
                LOG.error("{}: cannot accept connections: {}; retrying every second", address, failed.getMessage());
            }
            acceptAgainAt = now + RETRY_NANOS;
        }
    }

    private void admit(SocketChannel socket) throws IOException {
        boolean full = connections.size() == limits.maxClients();
        if (full && !rejecting) {
            LOG.warn("{}: maximum of {} clients reached; rejecting further connections", address, connections.size());
        }
        rejecting = full;
        if (full) {
            socket.close();
            return;
        }
        try {
            connections.add(newConnection(socket));
        } catch (IOException failed) {
            socket.close();
            throw failed;
        }
    }

    private EgdServerConnection newConnection(SocketChannel socket) throws IOException {
        if (requestedAddress instanceof EgdListenAddress.TcpAddress) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        GuestRateLimiter rateLimiter =
                new GuestRateLimiter(RateLimitMode.WINDOW, limits.maxBytes(), limits.periodMillis());
        connectionCount++;
        return new EgdServerConnection(
                address + " client " + connectionCount, socket, selector, new EgdServerSession(rateLimiter), scheduler);
    }

    private void closeDoneConnections(long now) {
        connections.removeIf(client -> {
            boolean over = client.isDone(now);
            if (over) {
                close(client);
            } else {
                wakeAt(Math.min(client.closeDeadline(), client.session().nextAllowedAt(now)));
            }
            return over;
        });
    }

    private static void close(EgdServerConnection client) {
        EgdServerSession session = client.session();
        if (session.hasProtocolError()) {
            LOG.warn("{}: closed: unknown EGD command 0x{}", client.name(), hex(session.unknownCommand()));
        }
        try {
            client.close();
        } catch (IOException failed) {
            LOG.warn("{}: closing: {}", client.name(), failed.getMessage());
        }
    }

    private static String hex(int command) {
        return Integer.toHexString(command | 0x100).substring(1);
    }

    private interface IoAction {
        void run() throws IOException;
    }

    /**
     * Runs an action and closes the connection on an I/O error, which means that the client has disconnected. This is
     * normal.
     */
    private void closeOnError(EgdServerConnection client, IoAction attempt) {
        try {
            attempt.run();
        } catch (IOException gone) {
            LOG.debug("{}: {}", client.name(), gone.getMessage());
            connections.remove(client);
            close(client);
        }
    }

    // Entropy.

    /** Distributes at most one buffer of bytes, so that newly received commands are handled soon. */
    private void serve(EntropySource source, long now) {
        if (scheduler.distribute(source, now)) {
            wakeAt(now + RETRY_NANOS);
        }
        for (EgdServerConnection client : List.copyOf(connections)) {
            if (client.session().hasReplies() && !client.isWriteBlocked()) {
                closeOnError(client, () -> client.flush(now));
            }
        }
        if (scheduler.canServeNow(now)) {
            wakeAt(now);
        }
    }

    @Override
    public void close() throws IOException {
        for (EgdServerConnection client : connections) {
            client.close();
        }
        scheduler.wipe();
        listener.close();
        selector.close();
        requestedAddress.removeSocketFile();
    }
}
