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
final class VhostUserConnector extends EventHandler implements VhostUserEndpoint {
    private static final long RETRY_NANOS = 200_000_000;

    private final EventScheduler loop;
    private final GuestContext guest;
    private final Path path;
    private VhostUserSession session;
    /** The session of a previous process whose files are being prepared; null if there is none. */
    private RestorableSession restoring;

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

    /**
     * Starts to continue the session of a previous process.
     *
     * @throws IOException if the session cannot be continued; this object then opens a new connection
     */
    void restore(RestorableSession stored) throws IOException {
        stored.beginAttempt();
        restoring = stored;
        stored.prepare(guest, this);
    }

    private void finishRestore() {
        if (!restoring.isPrepared()) {
            return;
        }
        RestorableSession stored = restoring;
        restoring = null;
        if (closed) {
            stored.close();
            guest.store().remove(stored.name());
            return;
        }
        try {
            session = VhostUserSession.restore(guest, stored, this::sessionClosed);
        } catch (IOException refused) {
            stored.logRefusal(refused);
            loop.reschedule(this);
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (restoring != null) {
            finishRestore();
            return;
        }
        if (closed || session != null) {
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
        loop.cancel(this);
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
    public void remove() {
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
