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

/** Listens, and serves every client on the thread that calls {@link #run}. */
final class EgdServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EgdServer.class);
    private static final int BACKLOG = 128;
    /** Until a source that has failed is asked again, and until connections are accepted again when that has failed. */
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * What a client may cost.
     *
     * @param mostClients connections at the same time
     * @param maxBytes of a connection in a period, or {@link GuestRateLimiter#UNLIMITED}
     * @param periodMillis the period's length
     */
    record Limits(int mostClients, long maxBytes, int periodMillis) {}

    private final Limits limits;
    private final Selector selector;
    private final EgdListenAddress asked;
    private final String address;
    private final ServerSocketChannel listener;
    private final SelectionKey listening;
    private final EgdRoundRobinScheduler shares = new EgdRoundRobinScheduler();
    private final List<EgdServerConnection> clients = new ArrayList<>();
    private long numbered;
    private boolean refusing;
    private long acceptAgainAt = Long.MAX_VALUE;
    private long wakeAt;
    private volatile boolean stopped;

    private EgdServer(EgdListenAddress asked, ServerSocketChannel listener, Selector selector, Limits limits)
            throws IOException {
        this.asked = asked;
        this.limits = limits;
        this.selector = selector;
        this.listener = listener;
        this.address = EgdListenAddress.describe(listener.getLocalAddress());
        listener.configureBlocking(false);
        listening = listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /**
     * A server that listens, and serves nobody before {@link #run}.
     *
     * @throws IOException when nobody can listen there, with the address
     */
    static EgdServer listen(EgdListenAddress address, Limits limits) throws IOException {
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
    void sourceReady() {
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
            await();
            long now = System.nanoTime();
            wakeAt = Long.MAX_VALUE;
            advance(now);
            serve(source, now);
            closeThoseThatAreOver(now);
        }
    }

    private void await() throws IOException {
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

    private void advance(long now) {
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.attachment() instanceof EgdServerConnection client) {
                attempt(client, () -> client.advance(now));
            } else {
                accept(now);
            }
        }
        selector.selectedKeys().clear();
        if (acceptAgainAt <= now) {
            listening.interestOps(SelectionKey.OP_ACCEPT);
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
            listening.interestOps(0);
            if (acceptAgainAt == Long.MAX_VALUE) {
                LOG.error("{}: cannot accept connections: {}; tried again each second", address, failed.getMessage());
            }
            acceptAgainAt = now + PAUSE_NANOS;
        }
    }

    private void admit(SocketChannel socket) throws IOException {
        boolean full = clients.size() == limits.mostClients();
        if (full && !refusing) {
            LOG.warn("{}: {} clients, further ones are turned away", address, clients.size());
        }
        refusing = full;
        if (full) {
            socket.close();
            return;
        }
        try {
            clients.add(client(socket));
        } catch (IOException failed) {
            socket.close();
            throw failed;
        }
    }

    private EgdServerConnection client(SocketChannel socket) throws IOException {
        if (asked instanceof EgdListenAddress.Tcp) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        GuestRateLimiter quota = new GuestRateLimiter(RateLimitMode.WINDOW, limits.maxBytes(), limits.periodMillis());
        numbered++;
        return new EgdServerConnection(
                address + " client " + numbered, socket, selector, new EgdServerSession(quota), shares);
    }

    private void closeThoseThatAreOver(long now) {
        clients.removeIf(client -> {
            boolean over = client.isOver(now);
            if (over) {
                close(client);
            } else {
                wakeAt(Math.min(client.lingersUntil(), client.conversation().allowedAgain(now)));
            }
            return over;
        });
    }

    private static void close(EgdServerConnection client) {
        EgdServerSession conversation = client.conversation();
        if (conversation.isLost()) {
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

    private interface Attempt {
        void run() throws IOException;
    }

    /** A socket that fails is that of a client that is gone, which is nothing to tell anybody. */
    private void attempt(EgdServerConnection client, Attempt attempt) {
        try {
            attempt.run();
        } catch (IOException gone) {
            LOG.debug("{}: {}", client.name(), gone.getMessage());
            clients.remove(client);
            close(client);
        }
    }

    // --- bytes -----------------------------------------------------------------------------------------------------

    /** One turn: as many bytes as fit into the reserve, so that commands that came meanwhile do not wait long. */
    private void serve(EntropySource source, long now) {
        if (shares.give(source, now)) {
            wakeAt(now + PAUSE_NANOS);
        }
        for (EgdServerConnection client : List.copyOf(clients)) {
            if (client.conversation().hasReplies() && !client.isStuck()) {
                attempt(client, () -> client.flush(now));
            }
        }
        if (shares.canGiveMore(now)) {
            wakeAt(now);
        }
    }

    @Override
    public void close() throws IOException {
        for (EgdServerConnection client : clients) {
            client.close();
        }
        shares.wipe();
        listener.close();
        selector.close();
        asked.cleanUp();
    }
}
