package org.vhostuserrng.transport.server;

import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.SessionPolicy;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.loop.Activity;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.session.Session;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.UnixStream;

/**
 * A front-end that listens itself (QEMU's {@code server=on}): connected to, and connected to again when it has gone.
 * Confined to the loop's thread.
 */
final class Dialer extends Activity implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Dialer.class);
    private static final long RETRY_NANOS = 200_000_000;

    private final EventLoop loop;
    private final VirtioDevice device;
    private final SessionPolicy policy;
    private final Path path;
    private Session session;
    private boolean failureLogged;
    private boolean closed;

    Dialer(EventLoop loop, VirtioDevice device, SessionPolicy policy, Path path) {
        this.loop = loop;
        this.device = device;
        this.policy = policy;
        this.path = path;
        loop.again(this);
    }

    @Override
    protected void run(long now, boolean ready) {
        if (!dial()) {
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        LOG.error("{}: bug in vhost-user-rng while connecting", device.name(), bug);
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
            UnixStream stream = UnixStream.connect(path);
            if (stream == null) {
                return false;
            }
            session = Session.open(loop, device, policy, stream, this::sessionClosed);
            failureLogged = false;
            return true;
        } catch (HostFault fault) {
            if (!failureLogged) {
                LOG.error("{}: cannot connect, trying again: {}", device.name(), fault.getMessage());
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
