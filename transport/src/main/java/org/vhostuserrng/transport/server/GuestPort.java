package org.vhostuserrng.transport.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.SessionPolicy;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.loop.Activity;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.session.Session;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.UnixListener;
import org.vhostuserrng.transport.sys.UnixStream;

/**
 * A listening socket and the guest behind it. One front-end is served at a time; the next ones wait in the socket's
 * backlog, so that no connect is ever refused. Confined to the loop's thread.
 */
final class GuestPort extends Activity implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GuestPort.class);
    /** After the system refused us (out of descriptors, of memory): when to try again. */
    private static final long RETRY_NANOS = 100_000_000;

    private final EventLoop loop;
    private final VirtioDevice device;
    private final SessionPolicy policy;
    private final UnixListener listener;
    private Session session;
    private boolean listening;
    private boolean closed;

    GuestPort(EventLoop loop, VirtioDevice device, SessionPolicy policy, UnixListener listener) throws HostFault {
        this.loop = loop;
        this.device = device;
        this.policy = policy;
        this.listener = listener;
        listen();
    }

    @Override
    protected void run(long now, boolean ready) {
        try {
            if (session == null) {
                listen();
                accept();
            }
        } catch (HostFault fault) {
            LOG.error("{}: cannot take a front-end, trying again: {}", device.name(), fault.getMessage());
            ignore();
            loop.schedule(this, now + RETRY_NANOS);
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        LOG.error("{}: bug in vhost-user-rng while accepting", device.name(), bug);
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

    private void accept() throws HostFault {
        UnixStream stream = listener.accept();
        if (stream != null) {
            session = Session.open(loop, device, policy, stream, this::sessionClosed);
            ignore();
        }
    }

    private void sessionClosed() {
        session = null;
        if (!closed) {
            loop.again(this);
        }
    }

    private void listen() throws HostFault {
        if (!listening) {
            loop.watch(this, listener.fd());
            listening = true;
        }
    }

    /** Leaves those who connect in the backlog. */
    private void ignore() {
        if (!listening) {
            return;
        }
        listening = false;
        try {
            loop.unwatch(this, listener.fd());
        } catch (HostFault impossible) {
            throw new IllegalStateException("a watched descriptor that epoll does not know", impossible);
        }
    }
}
