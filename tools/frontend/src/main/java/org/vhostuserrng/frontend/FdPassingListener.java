package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.channels.NotYetBoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;

/** A Unix socket that listens at a path; the path goes with it. */
public final class FdPassingListener implements AutoCloseable {
    /** inode(7): the type of a file, and that of a socket. */
    private static final int S_IFMT = 0xf000;

    private static final int S_IFSOCK = 0xc000;

    private final UnixServerSocketChannel channel;
    private final Path path;
    private volatile boolean stopped;

    /**
     * Listens at {@code path}. A socket there that nobody listens on is replaced.
     *
     * @throws IOException when somebody listens there, or nobody can
     */
    public FdPassingListener(Path path) throws IOException {
        this.path = path;
        removeStale(path);
        channel = UnixServerSocketChannel.open();
        try {
            channel.socket().bind(new UnixSocketAddress(path.toFile()));
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
            throw new IOException("cannot listen at " + path + ": somebody else does");
        }
        Files.delete(path);
    }

    private static boolean isListening(Path path) throws IOException {
        try (UnixSocketChannel answered = UnixSocketChannel.open(new UnixSocketAddress(path.toFile()))) {
            return answered.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    /** Waits for the next connection; empty after {@link #stop}. */
    public Optional<FdPassingSocket> accept() throws IOException {
        try {
            UnixSocketChannel accepted = channel.accept();
            return Optional.of(FdPassingSocket.wrap(accepted));
        } catch (IOException | NotYetBoundException failed) {
            // A socket that was shut down fails with EINVAL, which the library takes for one that was never bound.
            if (stopped) {
                return Optional.empty();
            }
            throw failed;
        }
    }

    /** Has {@link #accept} return, in whatever thread it waits. */
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
