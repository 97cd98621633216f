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
import org.vhostuserrng.backends.EntropySource;
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.backends.RateLimitMode;

/** Listens, and serves every client on the thread that calls {@link #run}. */
final class EgdServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EgdServer.class);
    private static final int BACKLOG = 128;
    /** Until a source that has failed is asked again, and until connections are accepted again when that has failed. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * What a client may cost.
     *
     * @param mostClients connections at the same time
     * @param maxBytes of a connection in a period, or {@link GuestRateLimiter#UNLIMITED}
     * @param periodMillis the period's length
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
     * A server that listens, and serves nobody before {@link #run}.
     *
     * @throws IOException when nobody can listen there, with the address
     */
    static EgdServer listen(EgdListenAddress address, ConnectionLimits limits) throws IOException {
        Selector selector = Selector.open();
        try {
            return new EgdServer(address, address.listen(BACKLOG), selector, limits);
        } catch (IOException refused) {
            selector.close();
            throw refused;
        }
    }

    /** Where it listens: the port is the one that it got. */
    String address() {
        return address;
    }

    /** Has {@link #run} look whether the source has bytes. Any thread. */
    void onSourceReady() {
        selector.wakeup();
    }

    /** Has {@link #run} return. Any thread. */
    void stop() {
        stopped = true;
        selector.wakeup();
    }

    /** Serves until {@link #stop}. */
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
                // Rounded up: a moment too early would be a turn for nothing.
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

    // --- connections -----------------------------------------------------------------------------------------------

    private void accept(long now) {
        try {
            SocketChannel socket = listener.accept();
            for (int accepted = 1; socket != null; accepted++) {
                acceptAgainAt = Long.MAX_VALUE;
                admit(socket);
                socket = accepted < BACKLOG ? listener.accept() : null;
            }
        } catch (IOException failed) {
            // As long as nothing changes, the selector would report the same connection without end.
            acceptKey.interestOps(0);
            if (acceptAgainAt == Long.MAX_VALUE) {
                LOG.error("{}: cannot accept connections: {}; tried again each second", address, failed.getMessage());
            }
            acceptAgainAt = now + RETRY_NANOS;
        }
    }

    private void admit(SocketChannel socket) throws IOException {
        boolean full = connections.size() == limits.maxClients();
        if (full && !rejecting) {
            LOG.warn("{}: {} clients, further ones are turned away", address, connections.size());
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
        GuestRateLimiter quota = new GuestRateLimiter(RateLimitMode.WINDOW, limits.maxBytes(), limits.periodMillis());
        connectionCount++;
        return new EgdServerConnection(
                address + " client " + connectionCount, socket, selector, new EgdServerSession(quota), scheduler);
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
        EgdServerSession conversation = client.session();
        if (conversation.hasProtocolError()) {
            LOG.warn("{}: closed: 0x{} is no command of EGD", client.name(), hex(conversation.unknownCommand()));
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

    /** A socket that fails is that of a client that is gone, which is nothing to tell anybody. */
    private void closeOnError(EgdServerConnection client, IoAction attempt) {
        try {
            attempt.run();
        } catch (IOException gone) {
            LOG.debug("{}: {}", client.name(), gone.getMessage());
            connections.remove(client);
            close(client);
        }
    }

    // --- bytes -----------------------------------------------------------------------------------------------------

    /** One turn: as many bytes as fit into the reserve, so that commands that came meanwhile do not wait long. */
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
