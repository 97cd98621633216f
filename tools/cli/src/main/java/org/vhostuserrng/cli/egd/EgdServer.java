package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.vhostuserrng.backends.source.EntropySource;

/** The EGD server: serves all clients, accepted and dialled, on the thread that calls {@link #run}. */
final class EgdServer implements AutoCloseable {
    /** Delay before a failed source is read again. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    /**
     * Limits of the clients.
     *
     * @param maxClients maximum number of simultaneous accepted connections
     * @param maxBytes maximum number of bytes per client address and period, or
     *     {@link org.vhostuserrng.backends.limiter.GuestRateLimiter#UNLIMITED}
     * @param periodMillis length of the period in milliseconds
     */
    record ClientLimits(int maxClients, long maxBytes, int periodMillis) {}

    private final Selector selector;
    private final LongSupplier clock;
    private final EgdServerLog log;
    /** Null if the server does not listen, only dials. */
    private EgdListener listener;

    private final List<EgdDialer> dialers = new ArrayList<>();
    private final EgdRoundRobinScheduler scheduler = new EgdRoundRobinScheduler();
    private final EgdServerConnections connections;
    private long wakeAt;
    private volatile boolean stopped;

    private EgdServer(Selector selector, ClientLimits limits, LongSupplier clock) {
        this.selector = selector;
        this.clock = clock;
        this.log = new EgdServerLog(clock);
        this.connections = new EgdServerConnections(limits, selector, scheduler, log);
    }

    /** Creates a server that neither listens nor dials yet. */
    static EgdServer open(ClientLimits limits) throws IOException {
        return open(limits, System::nanoTime);
    }

    static EgdServer open(ClientLimits limits, LongSupplier clock) throws IOException {
        return new EgdServer(Selector.open(), limits, clock);
    }

    /**
     * Creates a server with a listening socket. Clients are served once {@link #run} is called.
     *
     * @throws IOException if the address cannot be bound; the message contains the address
     */
    static EgdServer listen(EgdListenAddress address, ClientLimits limits) throws IOException {
        EgdServer server = open(limits);
        try {
            server.listen(address);
            return server;
        } catch (IOException failed) {
            server.close();
            throw failed;
        }
    }

    /** Starts to listen on an address. Must be called before {@link #run}, at most once. */
    void listen(EgdListenAddress address) throws IOException {
        listener = EgdListener.open(address, selector, log);
    }

    /**
     * Adds a client that listens: {@link #run} connects to it, and connects again whenever the connection is lost. Must
     * be called before {@link #run}.
     */
    void dial(EgdListenAddress address) {
        dialers.add(new EgdDialer(address, selector, log, connections));
    }

    /** The bound address, with the actual port if port 0 was requested. The server must listen. */
    String address() {
        return listener.address();
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
            long now = clock.getAsLong();
            wakeAt = Long.MAX_VALUE;
            handleReadyKeys(now);
            serve(source, now);
            wakeAt(connections.closeDone(now));
            for (EgdDialer dialer : dialers) {
                wakeAt(dialer.connectIfDue(now));
            }
            log.reportSuppressed();
            wakeAt(log.reportDueAt());
        }
    }

    private void awaitEvents() throws IOException {
        if (wakeAt == Long.MAX_VALUE) {
            selector.select();
        } else {
            long nanos = wakeAt - clock.getAsLong();
            if (nanos <= 0) {
                selector.selectNow();
            } else {
                // Round up to milliseconds, so that the loop does not wake up just before the deadline.
                selector.select(TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
            }
        }
    }

    private void wakeAt(long time) {
        wakeAt = Math.min(wakeAt, time);
    }

    private void handleReadyKeys(long now) {
        for (SelectionKey key : selector.selectedKeys()) {
            // The key is invalid if the client was closed for a new one during this loop.
            if (!key.isValid()) {
                continue;
            }
            switch (key.attachment()) {
                case EgdServerConnection client -> closeOnError(client, now, () -> client.onReady(now));
                case EgdDialer dialer -> dialer.onReady(now);
                default -> listener.onReady(now, connections::admit);
            }
        }
        selector.selectedKeys().clear();
        if (listener != null) {
            wakeAt(listener.resumeAcceptingAt(now));
            wakeAt(listener.checkFile(now));
        }
    }

    private interface IoAction {
        void run() throws IOException;
    }

    /**
     * Runs an action, and closes the connection after an I/O error. Such an error is normal: the client has
     * disconnected.
     */
    private void closeOnError(EgdServerConnection client, long now, IoAction attempt) {
        try {
            attempt.run();
        } catch (IOException gone) {
            log.debug(client.peer().name() + ": " + gone.getMessage());
            connections.close(client, now);
        }
    }

    // Entropy.

    /** Distributes at most one buffer of bytes per call, so that new commands do not wait long. */
    private void serve(EntropySource source, long now) {
        if (scheduler.distribute(source, now)) {
            wakeAt(now + RETRY_NANOS);
        }
        for (EgdServerConnection client : connections.open()) {
            if (client.session().hasReplies() && !client.isWriteBlocked()) {
                closeOnError(client, now, () -> client.flush(now));
            }
        }
        if (scheduler.canServeNow(now)) {
            wakeAt(now);
        }
        wakeAt(scheduler.reservationEnd());
    }

    @Override
    public void close() throws IOException {
        connections.close();
        dialers.forEach(EgdDialer::close);
        scheduler.wipe();
        if (listener != null) {
            listener.close();
        }
        selector.close();
    }
}
