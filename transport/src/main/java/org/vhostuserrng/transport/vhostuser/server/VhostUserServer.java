package org.vhostuserrng.transport.vhostuser.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.loop.PeriodicTask;
import org.vhostuserrng.transport.sys.DeferredCloserThreads;
import org.vhostuserrng.transport.sys.ThreadTimeSlice;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * A server with vhost-user back-ends on one event loop.
 *
 * <p>Confined to the thread that opened it, which calls {@link #run}, except for {@link #stop} and
 * {@link #unparkVrings}.
 */
public final class VhostUserServer implements AutoCloseable {
    private final EventLoop loop;
    private final VhostUserOptions options;
    private final Executor closerThreads;
    private final SocketFileWatch socketFiles;
    private final List<Runnable> closeActions = new ArrayList<>();
    /** Endpoints that still serve: all but the inherited connections that have ended. */
    private int activeEndpoints;

    private volatile boolean stopping;

    private VhostUserServer(EventLoop loop, VhostUserOptions options, Executor closerThreads) {
        this.loop = loop;
        this.options = options;
        this.closerThreads = closerThreads;
        this.socketFiles = new SocketFileWatch(loop);
    }

    /** Opens a server without guests. */
    public static VhostUserServer open(VhostUserOptions options) throws IOException {
        return open(options, new DeferredCloserThreads(), System::nanoTime);
    }

    /**
     * Like {@link #open(VhostUserOptions)}.
     *
     * @param clock nanoseconds, like {@link System#nanoTime}
     */
    static VhostUserServer open(VhostUserOptions options, Executor closerThreads, LongSupplier clock)
            throws IOException {
        return new VhostUserServer(EventLoop.open(clock), options, closerThreads);
    }

    /**
     * Listens on {@code path} and serves one front-end at a time with {@code device}; refuses others meanwhile.
     * {@link #close} removes the file.
     *
     * @throws IOException if the path is in use, is not a socket, or cannot be bound
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public void listen(Path path, VirtioDevice device) throws IOException {
        listen(UnixListeningSocket.bind(path), guest(device));
    }

    /**
     * Connects to a front-end that listens on {@code path}, serves it with {@code device}, and reconnects whenever the
     * connection is lost. Retries until a front-end listens.
     *
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public void connect(Path path, VirtioDevice device) {
        VhostUserConnector connector = VhostUserConnector.start(guest(device), path);
        activeEndpoints++;
        closeActions.add(connector::close);
    }

    /**
     * Serves front-ends with {@code device} on an inherited socket. On a listening socket, serves one front-end at a
     * time. On a connected socket, serves this front-end. The server stops when its last endpoint, an inherited
     * connection, has ended.
     *
     * @param fd the descriptor's number; this object takes ownership unless it throws IllegalArgumentException
     * @throws IllegalArgumentException if the descriptor is not such a socket
     */
    public void inherit(int fd, VirtioDevice device) throws IOException {
        GuestContext guest = guest(device);
        OwnedFd socket = new OwnedFd(fd, guest.closer());
        if (UnixListeningSocket.isListening(socket)) {
            listen(UnixListeningSocket.adopt(socket), guest);
        } else if (UnixStreamSocket.isConnected(socket)) {
            VhostUserSession session =
                    VhostUserSession.open(guest, UnixStreamSocket.adopt(socket), this::connectionEnded);
            activeEndpoints++;
            closeActions.add(session::close);
        } else {
            throw new IllegalArgumentException("not a listening or connected UNIX stream socket");
        }
    }

    private void connectionEnded() {
        activeEndpoints--;
        if (activeEndpoints == 0) {
            stop();
        }
    }

    /**
     * Runs an action on the loop's thread at a fixed interval, until {@link #close}.
     *
     * @param intervalNanos the interval, positive
     */
    public void schedulePeriodically(long intervalNanos, Runnable action) {
        PeriodicTask task = PeriodicTask.start(loop, intervalNanos, action);
        closeActions.add(task::cancel);
    }

    /** Serves until {@link #stop}. */
    public void run() throws IOException {
        // Without a short slice, a request waits up to 3 ms while a compiler thread of the JVM uses the CPU.
        ThreadTimeSlice.shorten();
        while (!stopping) {
            loop.await();
            loop.doWork();
        }
    }

    /** Runs one iteration of the loop without sleeping. Returns the number of dispatched handlers. */
    public int doWork() throws IOException {
        return loop.doWork();
    }

    /** The longest iteration of the loop so far, in nanoseconds. */
    public long longestIteration() {
        return loop.longestIteration();
    }

    /** Makes {@link #run} return. Any thread. */
    public void stop() {
        stopping = true;
        loop.wake();
    }

    /** Drains all starved vrings again, because the source has bytes. Any thread. */
    public void unparkVrings() {
        loop.unparkAll();
    }

    /** Drains all starved vrings again, because a shared resource is available. The loop's thread. */
    public void unparkVringsFromLoop() {
        loop.unparkAllFromLoop();
    }

    /** Stops all vrings, closes all sessions and sockets, and removes the socket files. */
    @Override
    public void close() {
        socketFiles.close();
        closeActions.forEach(Runnable::run);
        loop.close();
    }

    private GuestContext guest(VirtioDevice device) {
        return GuestContext.create(loop, device, options, closerThreads);
    }

    private void listen(UnixListeningSocket socket, GuestContext guest) throws ErrnoException {
        VhostUserListener listener = VhostUserListener.start(guest, socket, closerThreads);
        activeEndpoints++;
        closeActions.add(listener::close);
        if (socket.hasFile()) {
            socketFiles.add(listener, guest.log());
        }
    }
}
