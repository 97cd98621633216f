package org.vhostuserrng.transport.vhostuser;

import java.nio.file.Path;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * A front-end that listens itself (QEMU's {@code server=on}): connected to, and connected to again when it has gone.
 * Confined to the loop's thread.
 */
final class VhostUserConnector extends EventHandler implements AutoCloseable {
    private static final long RETRY_NANOS = 200_000_000;

    private final EventLoop loop;
    private final GuestContext guest;
    private final Path path;
    private VhostUserSession session;
    private boolean failureLogged;
    private boolean closed;

    VhostUserConnector(GuestContext guest, Path path) {
        this.loop = guest.loop();
        this.guest = guest;
        this.path = path;
        loop.again(this);
    }

    @Override
    protected void run(long now, boolean ready) {
        if (guest.closing().isFull() || !dial()) {
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        guest.log().bug("while connecting", bug);
    }

    @Override
    public void close() {
        closed = true;
        if (session != null) {
            session.close();
        }
        loop.forget(this);
    }

    private boolean dial() {
        try {
            UnixStreamSocket stream = UnixStreamSocket.connect(path, guest.closing());
            if (stream == null) {
                return false;
            }
            session = VhostUserSession.open(guest, stream, this::sessionClosed);
            failureLogged = false;
            return true;
        } catch (ErrnoException fault) {
            if (!failureLogged) {
                guest.log().warn("cannot connect, trying again: " + fault.getMessage());
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
