package org.vhostuserrng.transport.vhostuser.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.control.ControlCommandHandler;
import org.vhostuserrng.transport.control.server.ControlListener;
import org.vhostuserrng.transport.loop.DelayedTask;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.loop.PeriodicTask;
import org.vhostuserrng.transport.loop.PostedTask;
import org.vhostuserrng.transport.pci.PciFunctionFactory;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.InheritedStream;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.PeerFileThreads;
import org.vhostuserrng.transport.sys.SocketFilePermissions;
import org.vhostuserrng.transport.sys.ThreadTimeSlice;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.systemd.FdStoreClient;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vfiouser.session.VfioUserGuest;
import org.vhostuserrng.transport.vfiouser.session.VfioUserSession;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.journal.UnreadableSessionException;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.RestorableSession;
import org.vhostuserrng.transport.vhostuser.session.SessionStore;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * A server with vhost-user back-ends and vfio-user servers on one event loop.
 *
 * <p>Confined to the thread that opened it, which also calls {@link #run}, except for {@link #stop}, {@link #execute}
 * and {@link #unparkVrings}.
 */
public final class VhostUserServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VhostUserServer.class);

    private final EventLoop loop;
    private final VhostUserOptions options;
    private final Executor peerFileThreads;
    private final ListenerPathMonitor socketFiles;
    private final List<PeriodicTask> tasks = new ArrayList<>();
    private final List<EndOfStreamWatch> watches = new ArrayList<>();
    private final Set<VhostUserEndpoint> endpoints = new LinkedHashSet<>();
    /** The stored sessions; null if sessions do not outlive this process. */
    private final SessionStore store;

    private final Map<String, RestoringEndpoint> storedEndpoints = new HashMap<>();
    private final SessionRestoration restoration;
    /** Stored sessions that cannot be continued, and that belong to no endpoint. */
    private final List<UnservedSession> unserved = new ArrayList<>();

    /** Number of endpoints without the inherited connections that have ended. */
    private int activeEndpoints;

    /** The control socket; null if there is none. */
    private ControlListener control;

    /** Whether {@link #run} serves guests, so that the loop's thread must not block. */
    private boolean running;

    private volatile boolean stopping;

    private record WatchedControl(ControlListener control) implements ListenerPathMonitor.Listener {
        @Override
        public UnixListeningSocket socket() {
            return control.socket();
        }

        @Override
        public void replaceSocket(UnixListeningSocket replacement) throws ErrnoException {
            control.replaceSocket(replacement);
        }
    }

    private VhostUserServer(EventLoop loop, VhostUserOptions options, Executor peerFileThreads, FdStoreClient fdStore) {
        this.loop = loop;
        this.store = fdStore == null ? null : new SessionStore(fdStore, loop);
        this.options = options;
        this.peerFileThreads = peerFileThreads;
        this.socketFiles = new ListenerPathMonitor(loop);
        this.restoration = new SessionRestoration(loop, options);
    }

    /** Opens a server without guests, whose sessions end with this process. */
    public static VhostUserServer open(VhostUserOptions options) throws IOException {
        return open(options, null);
    }

    /**
     * Opens a server without guests.
     *
     * @param fdStore stores the sessions, so that they outlive this process; null if they do not; the caller remains
     *     the owner
     */
    public static VhostUserServer open(VhostUserOptions options, FdStoreClient fdStore) throws IOException {
        return new VhostUserServer(EventLoop.open(System::nanoTime), options, new PeerFileThreads(), fdStore);
    }

    /**
     * Like {@link #open(VhostUserOptions, FdStoreClient)}.
     *
     * @param clock returns the time in nanoseconds, like {@link System#nanoTime}
     */
    static VhostUserServer open(
            VhostUserOptions options, Executor peerFileThreads, LongSupplier clock, FdStoreClient fdStore)
            throws IOException {
        return new VhostUserServer(EventLoop.open(clock), options, peerFileThreads, fdStore);
    }

    /**
     * Listens on {@code path} and serves one front-end at a time with {@code device}. Refuses other front-ends
     * meanwhile. {@link #close} removes the socket file.
     *
     * @throws IOException if the path is in use, is not a socket, or cannot be bound
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public VhostUserEndpoint listen(Path path, VirtioDevice device) throws IOException {
        return listen(path, ListenerAccess.BY_UMASK, device);
    }

    /**
     * Like {@link #listen(Path, VirtioDevice)}.
     *
     * @param access the permissions of the file, and the front-ends that may connect
     */
    public VhostUserEndpoint listen(Path path, ListenerAccess access, VirtioDevice device) throws IOException {
        GuestContext guest = storedGuest(device, "listen " + path.toAbsolutePath());
        return listen(bind(path, access), access, guest);
    }

    /**
     * Listens on {@code path} and serves one vfio-user client at a time with a PCI function of {@code device}; refuses
     * others meanwhile. Sessions end with this process. {@link #close} removes the file.
     *
     * @param access the permissions of the file, and the clients that may connect
     * @param functions creates the function of a session
     * @throws IOException if the path is in use, is not a socket, or cannot be bound
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public VhostUserEndpoint listenVfioUser(
            Path path, ListenerAccess access, VirtioDevice device, PciFunctionFactory functions) throws IOException {
        GuestContext guest = guest(device);
        VfioUserGuest vfioUserGuest =
                new VfioUserGuest(loop, device, functions, options, guest.log(), guest.peerFiles());
        UnixListeningSocket socket = bind(path, access);
        VhostUserListener listener = VhostUserListener.start(
                guest,
                socket,
                access,
                peerFileThreads,
                (accepted, onClosed) -> VfioUserSession.open(vfioUserGuest, accepted, onClosed));
        socketFiles.add(listener, guest.log());
        return added(listener);
    }

    private UnixListeningSocket bind(Path path, ListenerAccess access) throws IOException {
        SocketFilePermissions permissions =
                access.hasPermissions() ? new SocketFilePermissions(access.mode(), access.group()) : null;
        return running ? UnixListeningSocket.tryBind(path, permissions) : UnixListeningSocket.bind(path, permissions);
    }

    /**
     * Connects to a front-end that listens on {@code path}, and serves it with {@code device}. Retries until a
     * front-end listens, and reconnects whenever the connection is lost.
     *
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public VhostUserEndpoint connect(Path path, VirtioDevice device) {
        GuestContext guest = storedGuest(device, "connect " + path.toAbsolutePath());
        VhostUserConnector connector = VhostUserConnector.start(guest, path);
        storedEndpoints.put(guest.endpoint(), connector);
        return added(connector);
    }

    /**
     * Serves front-ends with {@code device} on an inherited socket: one front-end at a time on a listening socket, or
     * the connected front-end on a connected socket. The server stops when all its endpoints were inherited connections
     * and have ended.
     *
     * @param fd the number of the descriptor; this object takes ownership unless it throws IllegalArgumentException
     * @throws IllegalArgumentException if the descriptor is not a listening or connected UNIX stream socket
     */
    public VhostUserEndpoint inherit(int fd, VirtioDevice device) throws IOException {
        return inherit(fd, ListenerAccess.BY_UMASK, device);
    }

    /**
     * Like {@link #inherit(int, VirtioDevice)}.
     *
     * @param access the front-ends that may connect to a listening socket
     */
    public VhostUserEndpoint inherit(int fd, ListenerAccess access, VirtioDevice device) throws IOException {
        GuestContext guest = guest(device);
        OwnedFd socket = new OwnedFd(fd, guest.peerFiles());
        if (UnixListeningSocket.isListening(socket)) {
            return listen(UnixListeningSocket.adopt(socket), access, stored(guest, "inherit " + device.name()));
        } else if (UnixStreamSocket.isConnected(socket)) {
            VhostUserSession session =
                    VhostUserSession.open(guest, UnixStreamSocket.adopt(socket), this::connectionEnded);
            return added(new InheritedConnection(session));
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
     * Listens for control clients on {@code path}, until {@link #close}.
     *
     * @param access the permissions of the file; connecting needs write permission
     * @throws IOException if the path is in use, is not a socket, or cannot be bound
     */
    public void listenForControl(Path path, ListenerAccess access, ControlCommandHandler commands) throws IOException {
        SocketFilePermissions permissions = new SocketFilePermissions(access.mode(), access.group());
        control = ControlListener.start(loop, UnixListeningSocket.bind(path, permissions), peerFileThreads, commands);
        socketFiles.add(new WatchedControl(control), new RateLimitedGuestLog("control socket", loop::now));
    }

    /**
     * Runs an action on the loop's thread, once, when some time has passed. Has no effect after {@link #close}.
     *
     * @param delayNanos the time from now, positive
     */
    public void schedule(long delayNanos, Runnable action) {
        DelayedTask.start(loop, delayNanos, action);
    }

    /** Runs an action on the loop's thread. May be called on any thread. Has no effect after {@link #close}. */
    public void execute(Runnable action) {
        PostedTask.post(loop, action);
    }

    /**
     * Runs an action on the loop's thread at a fixed interval, until {@link #close}.
     *
     * @param intervalNanos the interval in nanoseconds, positive
     */
    public void schedulePeriodically(long intervalNanos, Runnable action) {
        tasks.add(PeriodicTask.start(loop, intervalNanos, action));
    }

    /**
     * Stops the server when all other processes have closed their end of a pipe or socket.
     *
     * @param fd the number of the descriptor; this object takes ownership unless it throws IllegalArgumentException
     * @throws IllegalArgumentException if the descriptor is not the read end of a pipe, nor a socket
     */
    public void stopAtEndOf(int fd) {
        OwnedFd stream = new OwnedFd(fd);
        try {
            EndOfStreamWatch watch = EndOfStreamWatch.start(loop, InheritedStream.of(stream), this::stop);
            watches.add(watch);
        } catch (ErrnoException refused) {
            throw new IllegalArgumentException("not the read end of a pipe, nor a socket", refused);
        }
    }

    /** Serves guests until {@link #stop}. */
    public void run() throws IOException {
        // With the default time slice, a request can wait up to 3 ms while a compiler thread of the JVM uses the CPU.
        ThreadTimeSlice.shorten();
        running = true;
        while (!stopping) {
            loop.await();
            loop.doWork();
        }
    }

    /** Runs one iteration of the loop without sleeping. Returns the number of dispatched handlers. */
    public int doWork() throws IOException {
        return loop.doWork();
    }

    /** The loop's time in nanoseconds, which is also the clock of the devices. */
    public long now() {
        return loop.now();
    }

    /** Returns whether no endpoint is left: all were inherited connections and have ended. */
    public boolean hasEnded() {
        return activeEndpoints == 0;
    }

    /** The duration of the longest iteration of the loop so far, in nanoseconds. */
    public long longestIteration() {
        return loop.longestIteration();
    }

    /** Makes {@link #run} return. May be called on any thread. */
    public void stop() {
        stopping = true;
        loop.wake();
    }

    /** Drains all starved vrings again. Must be called when the source has bytes again. May be called on any thread. */
    public void unparkVrings() {
        loop.unparkAll();
    }

    /**
     * Drains all starved vrings again. Must be called on the loop's thread, when a shared resource is available again.
     */
    public void unparkVringsFromLoop() {
        loop.unparkAllFromLoop();
    }

    /**
     * Closes all sockets and removes their files. Sessions in the service manager's store remain there for the next
     * process; all others end.
     */
    @Override
    public void close() {
        socketFiles.close();
        if (control != null) {
            control.close();
        }
        restoration.close();
        unserved.forEach(UnservedSession::close);
        endpoints.forEach(VhostUserEndpoint::close);
        tasks.forEach(PeriodicTask::cancel);
        watches.forEach(EndOfStreamWatch::close);
        loop.close();
    }

    /** Returns whether a descriptor from the service manager's store is a session, judging by its name. */
    public static boolean isStoredSession(String fdName) {
        return SessionStore.isSession(fdName);
    }

    /**
     * Continues the sessions that a previous process served. Must be called once, after all endpoints were added.
     * Closes a session whose endpoint does not exist any more. A session that cannot be continued stays in the store,
     * and its front-end connected, until it disconnects or another front-end connects to the same socket.
     *
     * @param sessions the stored sessions; this method takes ownership of their descriptors
     */
    public void restore(List<ListenFds.NamedFd> sessions) {
        if (store == null) {
            sessions.forEach(session -> LOG.warn("{} cannot be continued: there is no store", session.name()));
            return;
        }
        sessions.forEach(session -> store.reserve(session.name()));
        for (ListenFds.NamedFd session : sessions) {
            restore(session);
        }
    }

    private void restore(ListenFds.NamedFd stored) {
        try {
            RestorableSession session =
                    RestorableSession.read(stored.name(), stored.fd(), new PeerFileExecutor(peerFileThreads));
            RestoringEndpoint endpoint = storedEndpoints.get(session.endpoint());
            if (endpoint == null) {
                LOG.warn("{}: closed, because this process does not {}", stored.name(), session.endpoint());
                session.close();
                store.remove(stored.name());
            } else {
                restore(session, endpoint);
            }
        } catch (UnreadableSessionException refused) {
            RestorableSession.logRefusal(stored.name(), refused);
            keepUnserved(stored.name(), refused);
        } catch (IOException refused) {
            RestorableSession.logRefusal(stored.name(), refused);
        }
    }

    private void restore(RestorableSession session, RestoringEndpoint endpoint) {
        try {
            session.requireAttemptsLeft();
            if (endpoint.isRestoring()) {
                throw new IOException("the store contains another session of the same socket");
            }
            endpoint.beginRestore(session);
            restoration.add(session, endpoint::finishRestore);
        } catch (IOException refused) {
            session.logRefusal(refused);
            session.closeExceptSocket();
            endpoint.keepUnserved(session.name(), session.socket());
        }
    }

    /** Keeps a session that cannot be read. Its front-end's socket tells to which listener it belongs. */
    private void keepUnserved(String name, UnreadableSessionException unreadable) {
        UnixStreamSocket frontend;
        try {
            frontend = unreadable.takeSocket();
        } catch (ErrnoException refused) {
            LOG.warn("{}: its front-end cannot stay connected: {}", name, refused.getMessage());
            return;
        }
        String path = frontend.boundPath();
        for (RestoringEndpoint endpoint : storedEndpoints.values()) {
            if (path != null && endpoint instanceof VhostUserListener listener && listener.hasAcceptedOn(path)) {
                listener.keepUnserved(name, frontend);
                return;
            }
        }
        unserved.add(UnservedSession.start(loop, store, name, frontend));
    }

    private GuestContext storedGuest(VirtioDevice device, String endpoint) {
        return stored(guest(device), endpoint);
    }

    private GuestContext stored(GuestContext guest, String endpoint) {
        return store == null ? guest : guest.storedIn(store, endpoint);
    }

    private GuestContext guest(VirtioDevice device) {
        return GuestContext.create(loop, device, options, peerFileThreads);
    }

    private VhostUserEndpoint listen(UnixListeningSocket socket, ListenerAccess access, GuestContext guest)
            throws ErrnoException {
        VhostUserListener listener = VhostUserListener.start(
                guest,
                socket,
                access,
                peerFileThreads,
                (accepted, onClosed) -> VhostUserSession.open(guest, accepted, onClosed));
        storedEndpoints.put(guest.endpoint(), listener);
        if (socket.hasFile()) {
            socketFiles.add(listener, guest.log());
        }
        return added(listener);
    }

    private VhostUserEndpoint added(VhostUserEndpoint endpoint) {
        activeEndpoints++;
        endpoints.add(endpoint);
        return endpoint;
    }

    /** Removes a guest: ends its session and closes its socket. The server continues, even without guests. */
    public void remove(VhostUserEndpoint endpoint) {
        endpoint.remove();
        endpoints.remove(endpoint);
        storedEndpoints.values().removeIf(endpoint::equals);
        if (endpoint instanceof VhostUserListener listener) {
            socketFiles.remove(listener);
        }
    }
}
