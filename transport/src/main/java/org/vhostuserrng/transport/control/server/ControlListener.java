package org.vhostuserrng.transport.control.server;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.LogLineLimiter;
import org.vhostuserrng.transport.control.ControlCommandHandler;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/** Accepts the clients of the control socket. Confined to the loop's thread. */
public final class ControlListener extends EventHandler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlListener.class);

    /** Maximum number of connections. A further client replaces one of the user with the most connections. */
    static final int MAX_CLIENTS = 16;

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Descriptors may be short for any time. */
    private static final int MAX_LINES_PER_MINUTE = 10;

    private final EventScheduler loop;
    private final LogLineLimiter lines;
    private UnixListeningSocket socket;
    private final PeerFileExecutor peerFiles;
    private final ControlCommandHandler commands;
    /** The connections, the oldest first. */
    private final Set<ControlConnection> clients = new LinkedHashSet<>();

    private boolean watched;

    private ControlListener(
            EventScheduler loop,
            UnixListeningSocket socket,
            PeerFileExecutor peerFiles,
            ControlCommandHandler commands) {
        this.loop = loop;
        this.lines = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), loop::now);
        this.socket = socket;
        this.peerFiles = peerFiles;
        this.commands = commands;
    }

    /**
     * Starts to accept clients. Takes ownership of the socket.
     *
     * @param peerFileThreads closes the clients' sockets
     */
    public static ControlListener start(
            EventScheduler loop, UnixListeningSocket socket, Executor peerFileThreads, ControlCommandHandler commands)
            throws ErrnoException {
        ControlListener listener = new ControlListener(loop, socket, new PeerFileExecutor(peerFileThreads), commands);
        listener.watch();
        return listener;
    }

    @Override
    protected void handle(long now, boolean ready) {
        try {
            if (peerFiles.isFull()) {
                unwatch();
                loop.schedule(this, now + RETRY_NANOS);
                return;
            }
            watch();
            accept();
        } catch (ErrnoException failure) {
            if (lines.mayWrite()) {
                LOG.warn("control socket: {}", failure.getMessage());
            }
            unwatch();
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    private void accept() throws ErrnoException {
        UnixStreamSocket accepted = socket.accept(peerFiles);
        if (accepted == null) {
            return;
        }
        if (clients.size() >= MAX_CLIENTS) {
            connectionToReplace().close();
        }
        ControlConnection[] client = new ControlConnection[1];
        try {
            client[0] = ControlConnection.open(loop, accepted, commands, () -> clientClosed(client[0]));
            clients.add(client[0]);
        } catch (ErrnoException refused) {
            accepted.close();
            throw refused;
        }
    }

    /**
     * Returns the oldest connection of the user with the most connections. Therefore no user can keep root out: other
     * users replace their own connections.
     */
    private ControlConnection connectionToReplace() {
        ControlConnection oldest = null;
        long most = 0;
        for (ControlConnection candidate : clients) {
            long connections = clients.stream()
                    .filter(client -> client.uid() == candidate.uid())
                    .count();
            if (connections > most) {
                most = connections;
                oldest = candidate;
            }
        }
        return oldest;
    }

    private void clientClosed(ControlConnection client) {
        clients.remove(client);
        if (!watched) {
            loop.reschedule(this);
        }
    }

    /** The socket on which clients are accepted. This object remains the owner. */
    public UnixListeningSocket socket() {
        return socket;
    }

    /** Accepts clients on another socket from now on. Connected clients remain. Takes ownership of the socket. */
    public void replaceSocket(UnixListeningSocket replacement) throws ErrnoException {
        boolean wasWatched = watched;
        unwatch();
        socket.closeIn(peerFiles);
        socket = replacement;
        if (wasWatched) {
            watch();
        }
    }

    private void watch() throws ErrnoException {
        if (!watched) {
            loop.watch(this, socket.fd());
            watched = true;
        }
    }

    private void unwatch() {
        if (watched) {
            watched = false;
            loop.unwatch(this, socket.fd());
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: accepting a client of the control socket failed", bug);
    }

    @Override
    public void close() {
        unwatch();
        Set.copyOf(clients).forEach(ControlConnection::close);
        loop.cancel(this);
        socket.closeIn(peerFiles);
    }
}
