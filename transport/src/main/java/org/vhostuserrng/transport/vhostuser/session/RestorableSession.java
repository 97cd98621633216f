package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/** A session of a previous process that was found in the service manager's store. Confined to the loop's thread. */
public final class RestorableSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RestorableSession.class);
    private static final int MAX_ATTEMPTS = 3;

    private final StoredSession stored;
    private final UnixStreamSocket socket;
    private final RestoredFiles files;
    private final CommittedSession state;
    private final PeerFileExecutor peerFiles;

    private RestorableSession(
            StoredSession stored,
            UnixStreamSocket socket,
            RestoredFiles files,
            CommittedSession state,
            PeerFileExecutor peerFiles) {
        this.stored = stored;
        this.socket = socket;
        this.files = files;
        this.state = state;
        this.peerFiles = peerFiles;
    }

    /**
     * Reads a stored session.
     *
     * @param name the name of the session in the store
     * @param fd the stored descriptor; this method takes ownership
     * @param peerFiles makes the system calls that may block on files of the front-end
     * @throws IOException if the journal cannot be read
     */
    public static RestorableSession read(String name, OwnedFd fd, PeerFileExecutor peerFiles) throws IOException {
        StoredSession.Opened opened = StoredSession.open(name, fd, peerFiles);
        RestoredFiles files = new RestoredFiles(opened.fds());
        try {
            CommittedSession state =
                    SessionSnapshotCodec.decode(opened.session().journal().state());
            return new RestorableSession(
                    opened.session(), UnixStreamSocket.adopt(opened.socket()), files, state, peerFiles);
        } catch (IOException refused) {
            files.close();
            opened.socket().closeNow();
            opened.session().close();
            throw refused;
        }
    }

    /** Identifies the socket that serves the guest. */
    public String endpoint() {
        return state.endpoint();
    }

    /** The name of the session in the service manager's store. */
    public String name() {
        return stored.name();
    }

    /**
     * Counts an attempt to continue the session.
     *
     * @throws InvalidJournalException if {@value #MAX_ATTEMPTS} attempts have already failed; this object is then
     *     closed
     */
    public void beginAttempt() throws InvalidJournalException {
        if (stored.journal().countAttempt() > MAX_ATTEMPTS) {
            close();
            throw new InvalidJournalException(MAX_ATTEMPTS + " attempts to continue the session have failed");
        }
    }

    /**
     * Prepares the session's files on another thread, because this may block on files of the front-end. Posts
     * {@code handler} afterwards; {@link #isPrepared} is then true.
     */
    public void prepare(GuestContext guest, EventHandler handler) {
        peerFiles.execute(() -> {
            files.prepare(state.session(), guest.options());
            guest.loop().post(handler);
        });
    }

    /** Returns whether the preparation has ended, with or without success. */
    public boolean isPrepared() {
        return files.isPrepared();
    }

    /** Logs the reason why this process cannot continue the session. */
    public void logRefusal(IOException refused) {
        logRefusal(name(), refused);
    }

    /** Logs the reason why this process cannot continue the session with a name. */
    public static void logRefusal(String name, IOException refused) {
        LOG.error(
                "{} cannot be continued; its VM hangs when it next stops, resets or restarts the device, until"
                        + " another front-end connects to this socket: {}",
                name,
                refused.getMessage());
    }

    StoredSession stored() {
        return stored;
    }

    UnixStreamSocket socket() {
        return socket;
    }

    RestoredFiles files() {
        return files;
    }

    CommittedSession state() {
        return state;
    }

    /** Closes this process's descriptors, but leaves the session in the store. */
    @Override
    public void close() {
        files.close();
        socket.fd().closeNow();
        stored.close();
    }
}
