package org.vhostuserrng.transport.vhostuser;

import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * A listening socket and the guest behind it. One front-end is served at a time; the next ones wait in the socket's
 * backlog, so that no connect is ever refused. Confined to the loop's thread.
 */
final class VhostUserListener extends EventHandler implements AutoCloseable {
    /** After the system refused us (out of descriptors, of memory): when to try again. */
    private static final long RETRY_NANOS = 100_000_000;

    private final EventLoop loop;
    private final GuestContext guest;
    private final UnixListeningSocket listener;
    private VhostUserSession session;
    private boolean listening;
    private boolean full;
    private boolean closed;

    VhostUserListener(GuestContext guest, UnixListeningSocket listener) throws ErrnoException {
        this.loop = guest.loop();
        this.guest = guest;
        this.listener = listener;
        listen();
    }

    @Override
    protected void run(long now, boolean ready) {
        try {
            if (isFull()) {
                ignore();
                loop.schedule(this, now + DeferredCloser.RETRY_NANOS);
            } else if (session == null) {
                listen();
                accept();
            }
        } catch (ErrnoException fault) {
            guest.log().warn("cannot take a front-end, trying again: " + fault.getMessage());
            ignore();
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        guest.log().bug("while accepting", bug);
    }

    @Override
    public void close() {
        closed = true;
        if (session != null) {
            session.close();
        }
        ignore();
        loop.forget(this);
        listener.close();
    }

    /** Whether so much of those that have gone waits to be closed that nobody else is taken. */
    private boolean isFull() {
        boolean before = full;
        full = guest.closing().isFull();
        if (full && !before) {
            guest.log().info("the next front-end waits until what the last one sent has been closed");
        }
        return full;
    }

    private void accept() throws ErrnoException {
        UnixStreamSocket stream = listener.accept(guest.closing());
        if (stream != null) {
            session = VhostUserSession.open(guest, stream, this::sessionClosed);
            ignore();
        }
    }

    private void sessionClosed() {
        session = null;
        if (!closed) {
            loop.again(this);
        }
    }

    private void listen() throws ErrnoException {
        if (!listening) {
            loop.watch(this, listener.fd());
            listening = true;
        }
    }

    /** Leaves those who connect in the backlog. */
    private void ignore() {
        if (listening) {
            listening = false;
            loop.unwatch(this, listener.fd());
        }
    }
}
