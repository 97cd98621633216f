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
 * "Support for platforms other than Linux"), a pipe or socket. A notification is a word of 8 bytes that nobody
 * interprets.
 *
 * <p>No method waits for the peer: a notification that finds a full pipe or socket is dropped, because earlier ones are
 * still pending, and a peer that has closed its end gets none. Confined to the loop's thread, but for {@link #adopt}.
 */
public abstract sealed class NotificationFd implements AutoCloseable permits EventFd, NotificationStream {
    static final int WORD_BYTES = Long.BYTES;
    static final MemorySegment WORD = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    /** The side that sends notifications. */
    public enum Direction {
        /** The front-end notifies this process: kick. */
        FROM_FRONTEND,
        /** This process notifies the front-end: call, err, dirty log. */
        TO_FRONTEND
    }

    NotificationFd() {}

    /**
     * Takes ownership of a descriptor that a peer sent, and closes it if it cannot be used. May block unless it
     * {@link #isEventFd}, so it is then called in the peer's {@link PeerFileExecutor}.
     *
     * @throws IOException if the descriptor is neither an eventfd nor a connected UNIX socket nor the proper end of a
     *     pipe
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

    /** Whether a descriptor is an eventfd. Asks the kernel for its name, which never waits. */
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
     * Receives and discards pending notifications, or queues this.
     *
     * @param onDrained run by any thread if a queued drain has discarded some, or the descriptor {@link #isStuck}
     */
    public abstract void drain(Runnable onDrained);

    /**
     * Whether queued drains have discarded notifications since the last call. The loop may not have seen them: epoll
     * does not report a descriptor that is no longer readable.
     */
    public abstract boolean takeDrained();

    /** Whether notifications that are not drained end the peer's ability to send more. */
    public abstract boolean fillsUp();

    /** Whether the peer has violated the protocol of the descriptor. Notifications are no longer sent or received. */
    public abstract boolean isStuck();

    /** For registration with {@link Epoll}; this object stays the owner. */
    public abstract OwnedFd fd();

    @Override
    public abstract void close();
}
