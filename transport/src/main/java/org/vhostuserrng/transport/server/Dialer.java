package org.vhostuserrng.transport.server;

import java.nio.file.Path;
import org.vhostuserrng.transport.loop.Activity;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.session.Guest;
import org.vhostuserrng.transport.session.Session;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.UnixStream;

/**
 * A front-end that listens itself (QEMU's {@code server=on}): connected to, and connected to again when it has gone.
 * Confined to the loop's thread.
 */
final class Dialer extends Activity implements AutoCloseable {
    private static final long RETRY_NANOS = 200_000_000;

    private final EventLoop loop;
    private final Guest guest;
    private final Path path;
    private Session session;
    private boolean failureLogged;
    private boolean closed;

    Dialer(Guest guest, Path path) {
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
            UnixStream stream = UnixStream.connect(path, guest.closing());
            if (stream == null) {
                return false;
            }
            session = Session.open(guest, stream, this::sessionClosed);
            failureLogged = false;
            return true;
        } catch (HostFault fault) {
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
