package org.vhostuserrng.transport.vhostuser;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.DeferredCloserThreads;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.ProgramPages;
import org.vhostuserrng.transport.sys.SchedulerTimeSlice;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * vhost-user back-ends on one event loop.
 *
 * <p>Confined to the thread that opened it, which is the one that calls {@link #run}; {@link #stop} and
 * {@link #sourceReady} may be called by any.
 */
public final class VhostUserServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VhostUserServer.class);
    /**
     * How long the JVM's code stays mapped that somebody has needed. When guests come its compiler needs most of it, 8 MB,
     * which then are of no use. To unmap it takes a fifth of a millisecond.
     */
    private static final long CODE_NEEDED_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final EventLoop loop;
    private final VhostUserOptions policy;
    private final Executor closingThreads;
    private final List<Runnable> closers = new ArrayList<>();
    private volatile boolean stopping;

    private VhostUserServer(EventLoop loop, VhostUserOptions policy, Executor closingThreads) {
        this.loop = loop;
        this.policy = policy;
        this.closingThreads = closingThreads;
    }

    /** Opens a server that serves nobody yet. */
    public static VhostUserServer open(VhostUserOptions policy) throws IOException {
        return open(policy, new DeferredCloserThreads());
    }

    static VhostUserServer open(VhostUserOptions policy, Executor closingThreads) throws IOException {
        return new VhostUserServer(EventLoop.open(System::nanoTime), policy, closingThreads);
    }

    /**
     * Listens on {@code path} and serves one front-end after the other with {@code device}. The file is removed on
     * {@link #close}.
     *
     * @throws IOException if the path is in use, is no socket, or cannot be bound
     * @throws IllegalArgumentException if it is too long for a socket (107 bytes)
     */
    public void listen(Path path, VirtioDevice device) throws IOException {
        add(UnixListeningSocket.bind(path), guest(device));
    }

    /**
     * Connects to a front-end that listens on {@code path}, serves it with {@code device}, and connects again whenever
     * the connection is lost; tries until somebody listens there.
     *
     * @throws IllegalArgumentException if the path is too long for a socket (107 bytes)
     */
    public void connect(Path path, VirtioDevice device) {
        VhostUserConnector dialer = new VhostUserConnector(guest(device), path);
        closers.add(dialer::close);
    }

    /**
     * Serves with {@code device} on a socket inherited as descriptor {@code fd}: one that listens serves one front-end
     * after the other; one that is connected serves this front-end, and the server stops when it disconnects.
     *
     * @throws IOException if the descriptor is no such socket
     */
    public void inherit(int fd, VirtioDevice device) throws IOException {
        GuestContext guest = guest(device);
        OwnedFd socket = new OwnedFd(fd, guest.closing());
        if (UnixListeningSocket.isListening(socket)) {
            add(UnixListeningSocket.adopt(socket), guest);
        } else {
            VhostUserSession session = VhostUserSession.open(guest, UnixStreamSocket.adopt(socket), this::stop);
            closers.add(session::close);
        }
    }

    /** Serves until {@link #stop}. */
    public void run() throws IOException {
        releaseProgramPages();
        // A request is not to wait for the JVM's compiler, or another program, that has the processor.
        SchedulerTimeSlice.shorten();
        while (!stopping) {
            loop.await();
            loop.doWork();
        }
    }

    private void releaseProgramPages() {
        try {
            ProgramPages pages = ProgramPages.release();
            loop.afterwards(CODE_NEEDED_NANOS, pages::releaseCode);
        } catch (IOException unknown) {
            LOG.debug("what starting needed stays mapped", unknown);
        }
    }

    /** One turn of the loop, without waiting: how many activities had something to do. */
    public int doWork() throws IOException {
        return loop.doWork();
    }

    /** The longest that the loop has kept anybody waiting for its turn, in nanoseconds. */
    public long longestTurn() {
        return loop.longestTurn();
    }

    /** Makes {@link #run} return. Any thread. */
    public void stop() {
        stopping = true;
        loop.wake();
    }

    /** Tells that a source has bytes again for those that wait for it. Any thread. */
    public void sourceReady() {
        loop.sourceReady();
    }

    /** Tells those that wait for what they share to try again. The loop's thread. */
    public void nextTurn() {
        loop.nextTurn();
    }

    /** Stops all rings, closes all sessions and sockets, and removes the socket files. */
    @Override
    public void close() {
        closers.forEach(Runnable::run);
        loop.close();
    }

    private GuestContext guest(VirtioDevice device) {
        return GuestContext.of(loop, device, policy, closingThreads);
    }

    private void add(UnixListeningSocket listener, GuestContext guest) throws ErrnoException {
        VhostUserListener port = new VhostUserListener(guest, listener);
        closers.add(port::close);
    }
}
