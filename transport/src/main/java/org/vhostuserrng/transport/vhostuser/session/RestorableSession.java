package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/**
 * A session that a predecessor of this process served, as found in the service manager's store. Confined to the loop's
 * thread.
 */
public final class RestorableSession implements AutoCloseable {
    private static final int MAX_ATTEMPTS = 3;

    private final StoredSession stored;
    private final UnixStreamSocket socket;
    private final RestoredFds fds;
    private final CommittedSession state;

    private RestorableSession(StoredSession stored, UnixStreamSocket socket, RestoredFds fds, CommittedSession state) {
        this.stored = stored;
        this.socket = socket;
        this.fds = fds;
        this.state = state;
    }

    /**
     * Reads a stored session.
     *
     * @param name its name in the store
     * @param fd takes ownership
     * @param closer closes the descriptors of the front-end
     * @throws IOException if its journal cannot be read
     */
    public static RestorableSession read(String name, OwnedFd fd, DeferredCloser closer) throws IOException {
        StoredSession.Opened opened = StoredSession.open(name, fd, closer);
        RestoredFds fds = new RestoredFds(opened.fds());
        try {
            CommittedSession state =
                    SessionSnapshotCodec.decode(opened.session().journal().state());
            return new RestorableSession(opened.session(), UnixStreamSocket.adopt(opened.socket()), fds, state);
        } catch (IOException refused) {
            fds.close();
            opened.socket().closeNow();
            opened.session().close();
            throw refused;
        }
    }

    /** Names the socket that serves the guest. */
    public String endpoint() {
        return state.endpoint();
    }

    /** The name in the service manager's store. */
    public String name() {
        return stored.name();
    }

    /**
     * Counts an attempt to continue the session.
     *
     * @throws InvalidJournalException if {@value #MAX_ATTEMPTS} attempts have failed; this object is then closed
     */
    public void beginAttempt() throws InvalidJournalException {
        if (stored.journal().countAttempt() > MAX_ATTEMPTS) {
            close();
            throw new InvalidJournalException(MAX_ATTEMPTS + " attempts to continue the session have failed");
        }
    }

    StoredSession stored() {
        return stored;
    }

    UnixStreamSocket socket() {
        return socket;
    }

    RestoredFds fds() {
        return fds;
    }

    CommittedSession state() {
        return state;
    }

    /** Closes this process's descriptors. The session stays in the store. */
    @Override
    public void close() {
        fds.close();
        socket.fd().closeNow();
        stored.close();
    }
}
