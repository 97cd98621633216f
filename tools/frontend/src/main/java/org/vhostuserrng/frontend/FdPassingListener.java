package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.channels.NotYetBoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketChannel;

/** A listening Unix socket. Closing it removes its path. */
public final class FdPassingListener implements AutoCloseable {
    /** inode(7): mask of the file type, and the type of a socket. */
    private static final int S_IFMT = 0xf000;

    private static final int S_IFSOCK = 0xc000;

    private final UnixServerSocketChannel channel;
    private final Path path;
    private volatile boolean stopped;

    /**
     * Listens at {@code path}. Replaces a stale socket on which no process listens.
     *
     * @throws IOException if another process listens there or the path cannot be bound
     */
    public FdPassingListener(Path path) throws IOException {
        this.path = path;
        removeStale(path);
        channel = UnixServerSocketChannel.open();
        try {
            channel.socket().bind(FrontendSocketAddress.of(path));
        } catch (IOException refused) {
            channel.close();
            throw new IOException("cannot listen at " + path + ": " + refused.getMessage(), refused);
        }
    }

    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path) || ((int) Files.getAttribute(path, "unix:mode") & S_IFMT) != S_IFSOCK) {
            return;
        }
        if (isListening(path)) {
            throw new IOException("cannot listen at " + path + ": another process does");
        }
        Files.delete(path);
    }

    private static boolean isListening(Path path) throws IOException {
        try (UnixSocketChannel connected = UnixSocketChannel.open(FrontendSocketAddress.of(path))) {
            return connected.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    /** Blocks until the next connection; empty after {@link #stop}. */
    public Optional<FdPassingSocket> accept() throws IOException {
        try {
            UnixSocketChannel accepted = channel.accept();
            return Optional.of(FdPassingSocket.wrap(accepted));
        } catch (IOException | NotYetBoundException failed) {
            // After shutdown(2), accept fails with EINVAL, which jnr-unixsocket reports as NotYetBoundException.
            if (stopped) {
                return Optional.empty();
            }
            throw failed;
        }
    }

    /** Makes a blocked {@link #accept} return. Any thread may call this. */
    public void stop() {
        stopped = true;
        FrontendLibc.calls().shutdown(channel.getFD(), FrontendLibc.SHUT_RDWR);
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(path);
    }
}
