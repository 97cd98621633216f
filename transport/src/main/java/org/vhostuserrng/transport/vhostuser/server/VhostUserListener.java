package org.vhostuserrng.transport.vhostuser.server;

import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * Accepts the front-ends of one guest on a listening socket, one at a time. Other front-ends wait in the socket's
 * backlog; no connection is refused. Confined to the loop's thread.
 */
final class VhostUserListener extends EventHandler implements AutoCloseable {
    /** Delay after the kernel has refused a resource, such as a descriptor or memory. */
    private static final long RETRY_NANOS = 100_000_000;

    private final EventScheduler loop;
    private final GuestContext guest;
    private final UnixListeningSocket socket;
    private VhostUserSession session;
    private boolean watched;
    private boolean closerFull;
    private boolean closed;

    private VhostUserListener(GuestContext guest, UnixListeningSocket socket) {
        this.loop = guest.loop();
        this.guest = guest;
        this.socket = socket;
    }

    /** Starts to accept front-ends. Takes ownership of the socket. */
    static VhostUserListener start(GuestContext guest, UnixListeningSocket socket) throws ErrnoException {
        VhostUserListener listener = new VhostUserListener(guest, socket);
        listener.watch();
        return listener;
    }

    @Override
    protected void handle(long now, boolean ready) {
        try {
            if (isCloserFull()) {
                unwatch();
                loop.schedule(this, now + DeferredCloser.RETRY_NANOS);
            } else if (session == null) {
                watch();
                accept();
            }
        } catch (ErrnoException failure) {
            guest.log().warn("cannot accept a front-end, retrying: " + failure.getMessage());
            unwatch();
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        guest.log().bug("while accepting", bug);
    }

    @Override
    public void close() {
        closed = true;
        if (session != null) {
            session.close();
        }
        unwatch();
        loop.cancel(this);
        socket.close();
    }

    /** Whether too many descriptors of earlier front-ends wait to be closed. Logs a transition to this state. */
    private boolean isCloserFull() {
        boolean before = closerFull;
        closerFull = guest.closer().isFull();
        if (closerFull && !before) {
            guest.log().info("the next front-end waits until descriptors of earlier ones are closed");
        }
        return closerFull;
    }

    private void accept() throws ErrnoException {
        UnixStreamSocket accepted = socket.accept(guest.closer());
        if (accepted != null) {
            session = VhostUserSession.open(guest, accepted, this::sessionClosed);
            unwatch();
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

    /** Stops accepting. New front-ends wait in the backlog. */
    private void unwatch() {
        if (watched) {
            watched = false;
            loop.unwatch(this, socket.fd());
        }
    }
}
