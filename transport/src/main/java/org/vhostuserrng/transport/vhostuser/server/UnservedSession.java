package org.vhostuserrng.transport.vhostuser.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.SessionStore;

/**
 * A session in the service manager's store that this process cannot continue, and whose front-end is still connected.
 * Removes the session from the store when its front-end disconnects. Confined to the loop's thread.
 */
final class UnservedSession extends EventHandler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnservedSession.class);

    /** Interval of the checks. A watch of the socket would be dispatched for each unread message as well. */
    static final long CHECK_NANOS = 1_000_000_000;

    private final EventScheduler loop;
    private final SessionStore store;
    private final String name;
    private final UnixStreamSocket socket;
    private boolean ended;

    private UnservedSession(EventScheduler loop, SessionStore store, String name, UnixStreamSocket socket) {
        this.loop = loop;
        this.store = store;
        this.name = name;
        this.socket = socket;
    }

    /**
     * Starts to wait until the front-end disconnects.
     *
     * @param name the name of the session in the store
     * @param socket the socket of its front-end; this object takes ownership
     */
    static UnservedSession start(EventScheduler loop, SessionStore store, String name, UnixStreamSocket socket) {
        UnservedSession session = new UnservedSession(loop, store, name, socket);
        loop.schedule(session, loop.now() + CHECK_NANOS);
        return session;
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (ended) {
            return;
        }
        if (socket.isPeerGone()) {
            drop("its front-end disconnected");
        } else {
            loop.schedule(this, now + CHECK_NANOS);
        }
    }

    /** Returns whether the session was removed from the store. */
    boolean hasEnded() {
        return ended;
    }

    /** Removes the session from the store, and disconnects its front-end. Idempotent. */
    void drop(String reason) {
        if (!ended) {
            LOG.warn("{}: unserved session closed, because {}", name, reason);
            ended = true;
            loop.cancel(this);
            store.remove(name);
            socket.close();
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: watching {} failed", name, bug);
    }

    /** Leaves the session in the store for the next process. */
    @Override
    public void close() {
        if (!ended) {
            ended = true;
            loop.cancel(this);
            socket.fd().closeNow();
        }
    }
}
