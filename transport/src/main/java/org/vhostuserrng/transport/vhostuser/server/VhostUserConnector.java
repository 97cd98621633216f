package org.vhostuserrng.transport.vhostuser.server;

import java.io.IOException;
import java.nio.file.Path;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.RestorableSession;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * Connects to a front-end that listens (QEMU: {@code server=on}), and reconnects whenever the connection is lost.
 * Confined to the loop's thread.
 */
final class VhostUserConnector extends EventHandler implements RestoringEndpoint {
    private static final long RETRY_NANOS = 200_000_000;

    private final EventScheduler loop;
    private final GuestContext guest;
    private final Path path;
    private VhostUserSession session;
    /** The session of a previous process whose files are being prepared; null if there is none. */
    private RestorableSession restoring;

    private boolean accepting = true;

    /** The stored session that this process cannot continue; null if there is none. */
    private UnservedSession unserved;

    private boolean failureLogged;
    private boolean closed;

    private VhostUserConnector(GuestContext guest, Path path) {
        this.loop = guest.loop();
        this.guest = guest;
        this.path = path;
    }

    /** Starts to connect to {@code path}, until it succeeds. */
    static VhostUserConnector start(GuestContext guest, Path path) {
        VhostUserConnector connector = new VhostUserConnector(guest, path);
        guest.loop().reschedule(connector);
        return connector;
    }

    @Override
    public boolean isRestoring() {
        return restoring != null;
    }

    @Override
    public void beginRestore(RestorableSession stored) {
        restoring = stored;
    }

    @Override
    public void finishRestore() {
        RestorableSession stored = restoring;
        restoring = null;
        if (closed) {
            stored.close();
            return;
        }
        try {
            session = VhostUserSession.restore(guest, stored, this::sessionClosed);
        } catch (IOException refused) {
            stored.logRefusal(refused);
            keepUnserved(stored.name(), stored.socket());
            loop.reschedule(this);
        }
    }

    @Override
    public void keepUnserved(String name, UnixStreamSocket frontend) {
        dropUnservedSession("another session of the same socket was stored");
        unserved = UnservedSession.start(loop, guest.store(), name, frontend);
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (closed || restoring != null || session != null || !accepting) {
            return;
        }
        if (guest.peerFiles().isFull() || !connect()) {
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        guest.log().bug("while connecting", bug);
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
        loop.cancel(this);
    }

    @Override
    public boolean hasUnservedSession() {
        return unserved != null && !unserved.hasEnded();
    }

    @Override
    public void dropUnservedSession() {
        dropUnservedSession("the operator drops it");
    }

    private void dropUnservedSession(String reason) {
        if (unserved != null) {
            unserved.drop(reason);
            unserved = null;
        }
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
        if (!closed) {
            loop.reschedule(this);
        }
    }

    /** A front-end that does not listen yet is no problem. */
    @Override
    public String problem() {
        return failureLogged ? "cannot connect to its front-end" : null;
    }

    @Override
    public void remove() {
        if (restoring != null) {
            guest.store().remove(restoring.name());
        }
        dropUnservedSession("its guest is removed");
        close();
        if (session != null) {
            session.close();
        }
    }

    private boolean connect() {
        try {
            UnixStreamSocket socket = UnixStreamSocket.connect(path, guest.peerFiles());
            if (socket == null) {
                return false;
            }
            session = VhostUserSession.open(guest, socket, this::sessionClosed);
            failureLogged = false;
            return true;
        } catch (ErrnoException failure) {
            if (!failureLogged) {
                guest.log().warn("cannot connect, retrying: " + failure.getMessage());
                failureLogged = true;
            }
            return false;
        }
    }

    private void sessionClosed() {
        session = null;
        if (!closed) {
            loop.schedule(this, loop.now() + RETRY_NANOS);
        }
    }
}
