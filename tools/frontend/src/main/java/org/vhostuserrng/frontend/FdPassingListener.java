package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.channels.NotYetBoundException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.libc.NativePath;

/** A listening Unix socket. {@link #close} removes the socket's file if the path still refers to that file. */
public final class FdPassingListener implements AutoCloseable {
    /** inode(7): the mask of the file type, and the file type of a socket. */
    private static final int S_IFMT = 0xf000;

    private static final int S_IFSOCK = 0xc000;

    private final UnixServerSocketChannel channel;
    private final Path path;
    /** Identifies the socket's file (device and inode). */
    private final Object file;

    private volatile boolean stopped;

    /**
     * Listens at {@code path}. Replaces the file of a socket on which no process listens.
     *
     * @throws IOException if another process listens at the path, or the path cannot be bound
     */
    public FdPassingListener(Path path) throws IOException {
        this.path = path;
        removeStale(path);
        try {
            channel = FrontendSocketAddress.listen(path);
        } catch (IOException refused) {
            throw new IOException("cannot listen at " + NativePath.text(path) + ": " + refused.getMessage(), refused);
        }
        file = fileKey(path);
    }

    private static Object fileKey(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }

    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path) || ((int) Files.getAttribute(path, "unix:mode") & S_IFMT) != S_IFSOCK) {
            return;
        }
        if (isListening(path)) {
            throw new IOException("cannot listen at " + NativePath.text(path) + ": another process does");
        }
        Files.delete(path);
    }

    private static boolean isListening(Path path) throws IOException {
        try (UnixSocketChannel connected = FrontendSocketAddress.connect(path)) {
            return connected.isOpen();
        } catch (IOException refused) {
            return false;
        }
    }

    /** Blocks until the next connection and returns it; returns empty after {@link #stop}. */
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
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && fileKey(path).equals(file)) {
            Files.delete(path);
        }
    }
}
