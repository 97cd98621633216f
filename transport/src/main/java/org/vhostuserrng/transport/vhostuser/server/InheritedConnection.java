package org.vhostuserrng.transport.vhostuser.server;

import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/** The session on an inherited connection, which does not outlive this process. Confined to the loop's thread. */
record InheritedConnection(VhostUserSession session) implements VhostUserEndpoint {
    @Override
    public String frontend() {
        return session.isClosed() ? null : session.peer();
    }

    @Override
    public void dispatchVrings() {
        session.dispatchVrings();
    }

    /** Has no effect: there is only this session. */
    @Override
    public void setAccepting(boolean accepting) {
        // Nothing to refuse.
    }

    @Override
    public String problem() {
        return null;
    }

    @Override
    public boolean hasUnservedSession() {
        return false;
    }

    @Override
    public void dropUnservedSession() {
        // The session does not outlive the process that accepted it.
    }

    @Override
    public void remove() {
        session.close();
    }

    @Override
    public void close() {
        session.close();
    }
}
