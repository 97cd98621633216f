package org.vhostuserrng.transport.vhostuser.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.UnixListeningSocket;

/**
 * Checks every {@link #INTERVAL_NANOS} whether the paths of the listening sockets still name these sockets. A socket is
 * unreachable if its file was removed, renamed or replaced: this class then listens on the path again, and the session
 * of the guest continues. If another process listens on the path, this class leaves its file alone and retries.
 * Confined to the loop's thread.
 *
 * <p>inotify(7) is not used: it needs read permission for the directory, and does not report that a parent directory
 * was renamed.
 */
final class ListenerPathMonitor extends EventHandler implements AutoCloseable {
    static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(3);
    /** Maximum number of files per call of {@link #handle}, which limits the time that the other guests wait. */
    static final int MAX_FILES_PER_CHECK = 64;

    /** An owner of a listening socket. */
    interface Listener {
        UnixListeningSocket socket();

        /** Accepts peers on another socket from now on. Takes ownership of the socket. */
        void replaceSocket(UnixListeningSocket replacement) throws ErrnoException;

        /** Records why peers cannot connect; null if they can. */
        default void setUnreachable(String reason) {}
    }

    private static final class WatchedSocket {
        private final Listener listener;
        private final RateLimitedGuestLog log;
        /**
         * The last failure to listen on the path again; null if the socket is reachable, or if no attempt has failed.
         */
        private String failure;

        WatchedSocket(Listener listener, RateLimitedGuestLog log) {
            this.listener = listener;
            this.log = log;
        }

        private void recordFailure(String reason) {
            failure = reason;
            listener.setUnreachable(reason);
        }
    }

    private final EventScheduler loop;
    private final List<WatchedSocket> sockets = new ArrayList<>();
    private int next;

    ListenerPathMonitor(EventScheduler loop) {
        this.loop = loop;
    }

    /** Starts to check the path of a listener's socket. */
    void add(Listener listener, RateLimitedGuestLog log) {
        sockets.add(new WatchedSocket(listener, log));
        if (sockets.size() == 1) {
            loop.schedule(this, loop.now() + INTERVAL_NANOS);
        }
    }

    /** Ends the checks of a listener's socket. */
    void remove(Listener listener) {
        sockets.removeIf(watched -> watched.listener.equals(listener));
        next = 0;
        if (sockets.isEmpty()) {
            loop.cancel(this);
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        int checksPerInterval = Math.ceilDiv(sockets.size(), MAX_FILES_PER_CHECK);
        loop.schedule(this, now + INTERVAL_NANOS / checksPerInterval);
        int checks = Math.min(sockets.size(), MAX_FILES_PER_CHECK);
        for (int i = 0; i < checks; i++) {
            check(sockets.get(next));
            next = (next + 1) % sockets.size();
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        sockets.getFirst().log.bug("while checking socket files", bug);
    }

    @Override
    public void close() {
        loop.cancel(this);
    }

    private static void check(WatchedSocket watched) {
        UnixListeningSocket socket = watched.listener.socket();
        if (socket.isFileIntact()) {
            if (watched.failure != null) {
                watched.recordFailure(null);
                watched.log.info(socket.fileName() + " names this socket again");
            }
            return;
        }
        String change = socket.isFileMissing() ? " was removed or renamed" : " was replaced";
        try {
            watched.listener.replaceSocket(socket.bindAgain());
            watched.recordFailure(null);
            watched.log.warn(socket.fileName() + change + "; listening on it again");
        } catch (IOException refused) {
            logFailure(watched, socket.fileName() + change, String.valueOf(refused.getMessage()));
        }
    }

    private static void logFailure(WatchedSocket watched, String change, String failure) {
        if (!failure.equals(watched.failure)) {
            watched.recordFailure(failure);
            watched.log.warn(change + ", no new connection is possible: " + failure + "; retrying every "
                    + TimeUnit.NANOSECONDS.toSeconds(INTERVAL_NANOS) + " s");
        }
    }
}
