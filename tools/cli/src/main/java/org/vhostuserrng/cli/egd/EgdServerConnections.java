package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;

/** All connections of the server, accepted and dialled. Confined to the server's thread. */
final class EgdServerConnections implements AutoCloseable {
    /** If there are too many clients, a new one replaces a client that has been silent for at least this long. */
    static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(15);

    // A peer that no longer responds to keep-alive probes is disconnected after a minute: 30 s + 3 × 10 s.
    private static final int KEEP_ALIVE_IDLE_SECONDS = 30;
    private static final int KEEP_ALIVE_INTERVAL_SECONDS = 10;
    private static final int KEEP_ALIVE_PROBES = 3;

    private final EgdServer.ClientLimits limits;
    private final EgdClientRateLimits rateLimits;
    private final Selector selector;
    private final EgdRoundRobinScheduler scheduler;
    private final EgdServerLog log;
    private final List<EgdServerConnection> connections = new ArrayList<>();
    /** Number of accepted connections; the others were dialled. */
    private int accepted;

    private long total;
    private boolean rejecting;

    EgdServerConnections(
            EgdServer.ClientLimits limits, Selector selector, EgdRoundRobinScheduler scheduler, EgdServerLog log) {
        this.limits = limits;
        this.rateLimits = new EgdClientRateLimits(limits.maxBytes(), limits.periodMillis());
        this.selector = selector;
        this.scheduler = scheduler;
        this.log = log;
    }

    /** Returns a copy of the list, so that connections may be closed while the caller traverses it. */
    List<EgdServerConnection> open() {
        return List.copyOf(connections);
    }

    /**
     * Serves an accepted client. If there are too many clients, closes a silent one; if none is silent, the new one.
     */
    void admit(SocketChannel socket, long now) throws IOException {
        boolean full = accepted == limits.maxClients() && !closeSilentClient(now);
        if (full && !rejecting) {
            log.warn("maximum of " + limits.maxClients() + " clients reached; rejecting further connections");
        }
        rejecting = full;
        if (full) {
            socket.close();
            return;
        }
        add(socket, null, now);
        accepted++;
    }

    /** Serves a dialled client. Dialled clients do not count towards the maximum. */
    void addDialled(SocketChannel socket, EgdDialer dialer, long now) throws IOException {
        add(socket, dialer, now);
    }

    private void add(SocketChannel socket, EgdDialer dialer, long now) throws IOException {
        try {
            SocketAddress peer = socket.getRemoteAddress();
            total++;
            String name = "client " + total;
            if (peer instanceof InetSocketAddress) {
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEP_ALIVE_IDLE_SECONDS);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEP_ALIVE_INTERVAL_SECONDS);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEP_ALIVE_PROBES);
                name += " from " + EgdListenAddress.describe(peer);
            }
            EgdServerConnection.Peer client = new EgdServerConnection.Peer(name, dialer, rateLimits.acquire(peer, now));
            connections.add(new EgdServerConnection(client, socket, selector, scheduler, now));
        } catch (IOException failed) {
            socket.close();
            throw failed;
        }
    }

    /**
     * Closes the accepted client that has been silent longest, if it has been silent long enough. It may be idle, or
     * its process may be stopped: the server cannot tell. A client that waits for the server is not silent. Returns
     * whether a client was closed.
     */
    private boolean closeSilentClient(long now) {
        EgdServerConnection silent = connections.stream()
                .filter(client -> client.peer().dialer() == null)
                .filter(client -> !client.session().awaitsReply())
                .min(Comparator.comparingLong(EgdServerConnection::lastActivity))
                .filter(client -> now - client.lastActivity() >= SILENT_NANOS)
                .orElse(null);
        if (silent == null) {
            return false;
        }
        log.warn(silent.peer().name() + ": silent for "
                + TimeUnit.NANOSECONDS.toSeconds(now - silent.lastActivity())
                + " s; gives way to a new client, because " + limits.maxClients() + " clients are connected");
        close(silent, now);
        return true;
    }

    /**
     * Closes the connections that must be closed.
     *
     * @return the time at which a connection must be checked again even if no event occurs, or {@code Long.MAX_VALUE}
     */
    long closeDone(long now) {
        long next = Long.MAX_VALUE;
        for (EgdServerConnection client : open()) {
            if (client.isDone(now)) {
                close(client, now);
            } else {
                next = Math.min(next, client.closeDeadline());
                next = Math.min(next, client.session().nextAllowedAt(now));
            }
        }
        return next;
    }

    /** Closes a connection, and logs the reason if the client is at fault. */
    void close(EgdServerConnection client, long now) {
        connections.remove(client);
        EgdServerSession session = client.session();
        String name = client.peer().name();
        if (session.hasProtocolError()) {
            log.warn(name + ": closed: unknown EGD command 0x" + hex(session.unknownCommand()));
        } else if (client.closeDeadline() <= now) {
            log.warn(name + ": closed: it does not read its replies");
        }
        if (client.peer().dialer() == null) {
            accepted--;
        } else {
            client.peer().dialer().onClosed(now);
        }
        client.peer().limit().release(now);
        try {
            client.close();
        } catch (IOException failed) {
            log.warn(name + ": closing: " + failed.getMessage());
        }
    }

    private static String hex(int command) {
        return Integer.toHexString(command | 0x100).substring(1);
    }

    @Override
    public void close() throws IOException {
        for (EgdServerConnection client : connections) {
            client.close();
        }
    }
}
