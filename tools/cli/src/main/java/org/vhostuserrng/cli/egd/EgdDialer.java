package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * Connects to a client that listens, such as a chardev of QEMU with {@code server=on}, and connects again whenever the
 * connection is lost. Confined to the server's thread.
 */
final class EgdDialer implements AutoCloseable {
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long CONNECT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final EgdListenAddress address;
    private final Selector selector;
    private final EgdServerLog log;
    private final EgdServerConnections connections;
    /**
     * The channel of the connection or of an attempt; null while the dialer waits until {@link #deadline} to try again.
     */
    private SocketChannel channel;

    private boolean connected;
    private long deadline = Long.MIN_VALUE;
    private boolean failureLogged;

    /**
     * Creates a dialer. The first call of {@link #connectIfDue} starts the first attempt.
     *
     * @param connections receives each new connection
     */
    EgdDialer(EgdListenAddress address, Selector selector, EgdServerLog log, EgdServerConnections connections) {
        this.address = address;
        this.selector = selector;
        this.log = log;
        this.connections = connections;
    }

    /** Starts an attempt, or gives up one that has timed out. Returns the time of the next call, or Long.MAX_VALUE. */
    long connectIfDue(long now) {
        if (connected) {
            return Long.MAX_VALUE;
        }
        if (deadline <= now) {
            if (channel == null) {
                connect(now);
            } else {
                fail("no answer", now);
            }
        }
        return connected ? Long.MAX_VALUE : deadline;
    }

    private void connect(long now) {
        try {
            SocketAddress target = address.socketAddress();
            channel = address.openClient();
            channel.configureBlocking(false);
            deadline = now + CONNECT_TIMEOUT_NANOS;
            if (channel.connect(target)) {
                connected(now);
            } else {
                SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, this);
                assert key.isValid();
            }
        } catch (IOException refused) {
            fail(String.valueOf(refused.getMessage()), now);
        }
    }

    /** Finishes a connection attempt after the selector has reported the channel. */
    void onReady(long now) {
        try {
            if (!connected && channel != null && channel.finishConnect()) {
                connected(now);
            }
        } catch (IOException refused) {
            fail(String.valueOf(refused.getMessage()), now);
        }
    }

    private void connected(long now) throws IOException {
        connected = true;
        failureLogged = false;
        connections.addDialled(channel, this, now);
    }

    /** Schedules the next attempt, because the connection was closed. */
    void onClosed(long now) {
        channel = null;
        connected = false;
        deadline = now + RETRY_NANOS;
    }

    private void fail(String reason, long now) {
        if (!failureLogged) {
            failureLogged = true;
            log.warn("cannot connect to " + address + ": " + reason + "; retrying every second");
        }
        connected = false;
        close();
        deadline = now + RETRY_NANOS;
    }

    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException failed) {
            log.debug("closing a connection to " + address + ": " + failed.getMessage());
        }
        channel = null;
    }
}
