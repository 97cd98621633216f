package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A descriptor through which a front-end and this process notify each other: the kick, call or err descriptor of a
 * vring, or the descriptor of the dirty log. It is an eventfd or, for front-ends on other platforms (vhost-user,
 * "Support for platforms other than Linux"), a pipe or socket. A notification is a word of 8 bytes, whose value has no
 * meaning.
 *
 * <p>No method waits for the peer. A notification is dropped if the pipe or socket is full, because earlier ones are
 * then still pending, or if the peer has closed its end. Confined to the loop's thread, except for {@link #adopt}.
 */
public abstract sealed class NotificationFd implements AutoCloseable permits EventFd, NotificationStream {
    static final int WORD_BYTES = Long.BYTES;
    static final MemorySegment WORD = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    /** The side that sends notifications. */
    public enum Direction {
        /** The front-end notifies this process: a kick descriptor. */
        FROM_FRONTEND,
        /** This process notifies the front-end: a call or err descriptor, or that of the dirty log. */
        TO_FRONTEND
    }

    NotificationFd() {}

    /**
     * Takes ownership of a descriptor that a peer sent. Must be called in the peer's {@link PeerFileExecutor} unless
     * the descriptor {@link #isEventFd}, because it may block.
     *
     * @throws IOException if the descriptor is not an eventfd, a connected UNIX socket, or the end of a pipe for this
     *     direction; the descriptor is closed
     */
    public static NotificationFd adopt(OwnedFd received, Direction direction) throws IOException {
        try {
            String name = kernelName(received);
            if (name.equals(EventFd.KERNEL_NAME)) {
                return EventFd.open(received);
            }
            FileStatus status = FileStatus.of(received);
            if (status.isPipe()) {
                return NotificationPipe.open(received, direction);
            }
            if (status.isSocket() && UnixStreamSocket.isConnectedUnixSocket(received)) {
                return NotificationSocket.open(received, direction);
            }
            throw new IOException("expected an eventfd, a pipe or a connected UNIX socket, got " + name);
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /** Returns whether a descriptor is an eventfd. Reads its name in procfs, which never blocks on the peer. */
    public static boolean isEventFd(OwnedFd fd) {
        try {
            return kernelName(fd).equals(EventFd.KERNEL_NAME);
        } catch (IOException noProcFileSystem) {
            return false;
        }
    }

    private static String kernelName(OwnedFd fd) throws IOException {
        return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number())).toString();
    }

    /** Sends a notification. */
    public abstract void signal();

    /**
     * Receives and discards pending notifications, now or in the peer's executor.
     *
     * @param onDrained runs on any thread after the executor has discarded notifications, or if the descriptor
     *     {@link #isStuck}
     */
    public abstract void drain(Runnable onDrained);

    /**
     * Returns whether the executor has discarded notifications since the last call. The loop may not have seen these,
     * because epoll does not report a descriptor that is no longer readable.
     */
    public abstract boolean takeDrained();

    /** Returns whether the peer cannot send more notifications at some point unless they are drained. */
    public abstract boolean fillsUp();

    /** Returns whether the peer has misused the descriptor, so that notifications are no longer sent or received. */
    public abstract boolean isStuck();

    /** The descriptor, to watch with {@link Epoll}. This object remains the owner. */
    public abstract OwnedFd fd();

    @Override
    public abstract void close();
}
