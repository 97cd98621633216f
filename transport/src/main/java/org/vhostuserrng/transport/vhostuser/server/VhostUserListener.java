package org.vhostuserrng.transport.vhostuser.server;

import java.io.IOException;
import java.util.concurrent.Executor;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.session.GuestSession;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.session.SessionOpener;
import org.vhostuserrng.transport.sys.PeerCredentials;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.RestorableSession;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * Accepts the front-ends of one guest, or the clients of a vfio-user server, on a listening socket, one at a time. A
 * front-end that connects while another one is served is refused at once: its connection is closed, because a VMM that
 * waits for a reply stops its guest. A front-end that has sent no message for some seconds gives way. Confined to the
 * loop's thread.
 */
final class VhostUserListener extends EventHandler implements RestoringEndpoint, ListenerPathMonitor.Listener {
    /** Delay before the next attempt after the kernel has refused a resource, such as a descriptor or memory. */
    private static final long RETRY_NANOS = 100_000_000;

    private final EventScheduler loop;
    private final GuestContext guest;
    private UnixListeningSocket socket;
    /** Logs refused front-ends. Separate from the guest's log, so that refused front-ends cannot use up its limit. */
    private final RateLimitedGuestLog refusalLog;

    private final PeerFileExecutor refusedCloser;
    private final ListenerAccess access;
    private final SessionOpener opener;
    private GuestSession session;
    /** The session of a previous process whose files are being prepared; null if there is none. */
    private RestorableSession restoring;
    /** The stored session that this process cannot continue; null if there is none. */
    private UnservedSession unserved;

    /** Whether new front-ends are served. If not, they are refused at once. */
    private boolean accepting = true;

    /** Why new front-ends cannot connect; null if they can. */
    private String unreachable;

    private boolean watched;
    private boolean closerFull;
    private boolean closed;

    private VhostUserListener(
            GuestContext guest,
            UnixListeningSocket socket,
            ListenerAccess access,
            Executor peerFileThreads,
            SessionOpener opener) {
        this.opener = opener;
        this.loop = guest.loop();
        this.guest = guest;
        this.socket = socket;
        this.access = access;
        this.refusalLog = new RateLimitedGuestLog(guest.device().name(), loop::now);
        this.refusedCloser = new PeerFileExecutor(peerFileThreads);
    }

    /**
     * Starts to accept front-ends. Takes ownership of the socket.
     *
     * @param access the front-ends that may connect
     * @param peerFileThreads closes the sockets of refused front-ends
     * @param opener opens the session of an accepted front-end
     */
    static VhostUserListener start(
            GuestContext guest,
            UnixListeningSocket socket,
            ListenerAccess access,
            Executor peerFileThreads,
            SessionOpener opener)
            throws ErrnoException {
        VhostUserListener listener = new VhostUserListener(guest, socket, access, peerFileThreads, opener);
        listener.watch();
        return listener;
    }

    @Override
    protected void handle(long now, boolean ready) {
        try {
            if (closed || restoring != null) {
                return;
            }
            if (session != null) {
                watch();
                if (ready) {
                    acceptWhileServing(now);
                }
            } else if (!accepting) {
                watch();
                refuse(now, "its guest accepts no new front-end");
            } else if (isCloserFull() || refusedCloser.isFull()) {
                retryLater(now + PeerFileExecutor.RETRY_NANOS);
            } else {
                watch();
                accept();
            }
        } catch (ErrnoException failure) {
            guest.log().warn("cannot accept a front-end, retrying: " + failure.getMessage());
            retryLater(now + RETRY_NANOS);
        }
    }

    private void retryLater(long deadline) {
        unwatch();
        loop.schedule(this, deadline);
    }

    @Override
    public void handleBug(RuntimeException bug) {
        guest.log().bug("while accepting", bug);
    }

    @Override
    public void close() {
        closed = true;
        if (session != null && !session.isStored()) {
            session.close();
        }
        if (unserved != null) {
            unserved.close();
        }
        unwatch();
        loop.cancel(this);
        socket.closeIn(refusedCloser);
    }

    @Override
    public String frontend() {
        return session == null ? null : session.peer();
    }

    @Override
    public void dispatchVrings() {
        if (session != null) {
            session.dispatchVrings();
        }
    }

    @Override
    public void setAccepting(boolean nowAccepting) {
        accepting = nowAccepting;
    }

    @Override
    public String problem() {
        if (unreachable != null) {
            return "new front-ends cannot connect: " + unreachable;
        }
        return hasUnservedSession() ? "its stored session could not be continued" : null;
    }

    @Override
    public void setUnreachable(String reason) {
        unreachable = reason;
    }

    @Override
    public void remove() {
        if (session != null) {
            session.close();
        }
        if (restoring != null) {
            guest.store().remove(restoring.name());
        }
        dropUnservedSession("its guest is removed");
        close();
    }

    @Override
    public boolean hasUnservedSession() {
        return unserved != null && !unserved.hasEnded();
    }

    @Override
    public void dropUnservedSession() {
        dropUnservedSession("the operator drops it");
    }

    /** The socket on which front-ends connect. This object remains the owner. */
    @Override
    public UnixListeningSocket socket() {
        return socket;
    }

    /** Accepts front-ends on another socket from now on. A running session continues. Takes ownership of the socket. */
    @Override
    public void replaceSocket(UnixListeningSocket replacement) throws ErrnoException {
        boolean wasWatched = watched;
        unwatch();
        socket.closeIn(refusedCloser);
        socket = replacement;
        if (wasWatched) {
            watch();
        }
    }

    @Override
    public boolean isRestoring() {
        return restoring != null;
    }

    @Override
    public void beginRestore(RestorableSession stored) {
        restoring = stored;
        unwatch();
    }

    @Override
    public void finishRestore() {
        RestorableSession stored = restoring;
        restoring = null;
        if (closed) {
            stored.close();
            return;
        }
        // Dispatches this handler, which watches the listening socket again.
        loop.reschedule(this);
        try {
            session = VhostUserSession.restore(guest, stored, this::sessionClosed);
        } catch (IOException refused) {
            stored.logRefusal(refused);
            keepUnserved(stored.name(), stored.socket());
        }
    }

    @Override
    public void keepUnserved(String name, UnixStreamSocket frontend) {
        dropUnservedSession("another session of the same socket was stored");
        unserved = UnservedSession.start(loop, guest.store(), name, frontend);
    }

    /** Returns whether a connection that was accepted on a path is one of this listener. */
    boolean hasAcceptedOn(String path) {
        return path.equals(socket.boundPath());
    }

    /** Returns whether too many descriptors of earlier front-ends wait to be closed. Logs when this becomes true. */
    private boolean isCloserFull() {
        boolean before = closerFull;
        closerFull = guest.peerFiles().isFull();
        if (closerFull && !before) {
            guest.log().info("the next front-end waits until descriptors of earlier ones are closed");
        }
        return closerFull;
    }

    private void accept() throws ErrnoException {
        UnixStreamSocket accepted = acceptAllowed();
        if (accepted != null) {
            dropUnservedSession("another front-end connected");
            session = opener.open(accepted, this::sessionClosed);
        }
    }

    /** Accepts the next front-end. Returns null if none is waiting, or if it may not connect. */
    private UnixStreamSocket acceptAllowed() throws ErrnoException {
        if (access.allowsAll()) {
            return socket.accept(guest.peerFiles());
        }
        UnixStreamSocket accepted = socket.accept(peer -> allows(peer) ? guest.peerFiles() : refusedCloser);
        if (accepted == null || allows(accepted.peer())) {
            return accepted;
        }
        refusalLog.warn("front-end refused (" + accepted.peer() + "): neither --allow-uid nor --allow-gid names it");
        accepted.close();
        return null;
    }

    private boolean allows(PeerCredentials peer) {
        return peer != null && access.allows(peer.uid(), peer.gid());
    }

    private void dropUnservedSession(String reason) {
        if (unserved != null) {
            unserved.drop(reason);
            unserved = null;
        }
    }

    private void acceptWhileServing(long now) throws ErrnoException {
        if (session.isPeerGone()) {
            // The next front-end waits in the backlog until the last messages of this session are served, and it ends.
            unwatch();
        } else if (accepting && session.isSilent(now)) {
            replaceSilentSession();
        } else {
            refuse(now, "the socket is busy with another front-end (" + session.peer() + ")");
        }
    }

    private void replaceSilentSession() throws ErrnoException {
        UnixStreamSocket accepted = acceptAllowed();
        if (accepted != null) {
            session.giveWay(accepted.describePeer());
            session = opener.open(accepted, this::sessionClosed);
        }
    }

    private void refuse(long now, String reason) throws ErrnoException {
        if (refusedCloser.isFull()) {
            retryLater(now + PeerFileExecutor.RETRY_NANOS);
            return;
        }
        UnixStreamSocket refused = socket.accept(refusedCloser);
        if (refused != null) {
            refusalLog.warn("front-end refused (" + refused.describePeer() + "): " + reason);
            refused.close();
        }
    }

    private void sessionClosed() {
        session = null;
        if (!closed) {
            loop.reschedule(this);
        }
    }

    private void watch() throws ErrnoException {
        if (!watched) {
            loop.watch(this, socket.fd());
            watched = true;
        }
    }

    /** Stops accepting front-ends, which then wait in the backlog. */
    private void unwatch() {
        if (watched) {
            watched = false;
            loop.unwatch(this, socket.fd());
        }
    }
}
