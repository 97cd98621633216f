package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** The listening socket of the server. Accepts clients, and retries after an error. Confined to the server's thread. */
final class EgdListener implements AutoCloseable {
    private static final int BACKLOG = 128;
    /** Delay before accept(2) is retried after an error. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Object MISSING = new Object();
    private static final long FILE_CHECK_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long RELISTEN_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Receives the accepted connections. */
    interface ClientAdmission {
        void admit(SocketChannel socket, long now) throws IOException;
    }

    private final EgdListenAddress requestedAddress;
    private final Selector selector;
    private final EgdServerLog log;
    private final String address;
    private ServerSocketChannel channel;
    private SelectionKey key;
    /** Identifies the file of the UNIX socket; null for TCP. */
    private Object file;
    /** The reason why the last attempt to listen again failed; null if it succeeded. */
    private String failure;

    private long fileCheckDueAt;
    private long acceptAgainAt = Long.MAX_VALUE;

    private EgdListener(EgdListenAddress requested, ServerSocketChannel channel, Selector selector, EgdServerLog log)
            throws IOException {
        this.requestedAddress = requested;
        this.selector = selector;
        this.log = log;
        this.address = EgdListenAddress.describe(channel.getLocalAddress());
        accept(channel);
    }

    private void accept(ServerSocketChannel opened) throws IOException {
        opened.configureBlocking(false);
        key = opened.register(selector, SelectionKey.OP_ACCEPT, this);
        channel = opened;
        Object bound = requestedAddress.socketFile();
        // MISSING: the file was already removed. The next check of the file then listens again.
        file = bound == null && requestedAddress instanceof EgdListenAddress.UnixAddress ? MISSING : bound;
    }

    /**
     * Opens the socket.
     *
     * @throws IOException if the address cannot be bound; the message contains the address
     */
    static EgdListener open(EgdListenAddress requested, Selector selector, EgdServerLog log) throws IOException {
        return new EgdListener(requested, requested.listen(BACKLOG), selector, log);
    }

    /** The bound address, with the actual port if port 0 was requested. */
    String address() {
        return address;
    }

    /** Accepts the clients that wait for a connection. */
    void onReady(long now, ClientAdmission admission) {
        try {
            SocketChannel socket = channel.accept();
            for (int accepted = 1; socket != null; accepted++) {
                acceptAgainAt = Long.MAX_VALUE;
                admission.admit(socket, now);
                socket = accepted < BACKLOG ? channel.accept() : null;
            }
        } catch (IOException failed) {
            // Otherwise the selector would immediately report the same pending connection again.
            key.interestOps(0);
            if (acceptAgainAt == Long.MAX_VALUE) {
                log.warn(address + ": cannot accept connections: " + failed.getMessage() + "; retrying every second");
            }
            acceptAgainAt = now + RETRY_NANOS;
        }
    }

    /**
     * Resumes accepting if the delay after an error is over. Returns the end of the delay, or Long.MAX_VALUE if it is
     * over.
     */
    long resumeAcceptingAt(long now) {
        if (acceptAgainAt <= now) {
            key.interestOps(SelectionKey.OP_ACCEPT);
            return Long.MAX_VALUE;
        }
        return acceptAgainAt;
    }

    /**
     * Listens again if another program has removed, renamed or replaced the file of a UNIX socket.
     *
     * @return the time of the next check, or Long.MAX_VALUE
     */
    long checkFile(long now) {
        if (file == null) {
            return Long.MAX_VALUE;
        }
        if (fileCheckDueAt <= now) {
            fileCheckDueAt = now + FILE_CHECK_NANOS;
            if (file.equals(requestedAddress.socketFile())) {
                failure = null;
            } else {
                listenAgain(now);
            }
        }
        return fileCheckDueAt;
    }

    private void listenAgain(long now) {
        try {
            ServerSocketChannel replacement = requestedAddress.listen(BACKLOG);
            channel.close();
            accept(replacement);
            failure = null;
            log.warn(address + " was removed, renamed or replaced; listening on it again");
        } catch (IOException refused) {
            String reason = String.valueOf(refused.getMessage());
            if (!reason.equals(failure)) {
                failure = reason;
                log.warn(address + " was removed, renamed or replaced, new clients cannot connect: " + reason);
            }
            // A longer interval: each attempt connects to the socket's path, where another program may listen.
            fileCheckDueAt = now + RELISTEN_NANOS;
        }
    }

    /** Closes the socket, and removes its file if the path still refers to that file. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (file != null && file.equals(requestedAddress.socketFile())) {
            requestedAddress.removeSocketFile();
        }
    }
}
