package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.journal.UnreadableSessionException;
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
    private final int attemptsBefore;

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
        this.attemptsBefore = stored.journal().attempts();
    }

    /**
     * Reads a stored session.
     *
     * @param name the name of the session in the store
     * @param fd the number of the stored descriptor; this method takes ownership
     * @param peerFiles makes the system calls that may block on files of the front-end
     * @throws UnreadableSessionException if the journal cannot be read
     * @throws IOException if the descriptor is not a stored session
     */
    public static RestorableSession read(String name, int fd, PeerFileExecutor peerFiles) throws IOException {
        StoredSession.Opened opened = StoredSession.open(name, fd, peerFiles);
        RestoredFiles files = new RestoredFiles(opened.fds());
        try {
            CommittedSession state =
                    SessionSnapshotCodec.decode(opened.session().journal().state());
            return new RestorableSession(
                    opened.session(), UnixStreamSocket.adopt(opened.socket()), files, state, peerFiles);
        } catch (IOException refused) {
            files.close();
            opened.session().close();
            throw new UnreadableSessionException(refused, opened.socket());
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
     * Checks that the session may be continued.
     *
     * @throws InvalidJournalException if processes have ended during {@value #MAX_ATTEMPTS} attempts
     */
    public void requireAttemptsLeft() throws InvalidJournalException {
        if (attemptsBefore >= MAX_ATTEMPTS) {
            throw new InvalidJournalException(MAX_ATTEMPTS + " attempts to continue the session have failed");
        }
    }

    /**
     * Counts an attempt to continue the session. If this process ends before {@link #endAttempt}, the attempt has
     * failed.
     */
    public void beginAttempt() {
        stored.journal().setAttempts(attemptsBefore + 1);
    }

    /** Stops counting the attempt: this process has survived it, or ends for another reason. */
    public void endAttempt() {
        stored.journal().setAttempts(attemptsBefore);
    }

    /**
     * Prepares the session's files on another thread, because this may block on files of the front-end. Posts
     * {@code handler} afterwards; {@link #isPrepared} is then true.
     */
    public void prepare(EventScheduler loop, VhostUserOptions options, EventHandler handler) {
        peerFiles.execute(() -> {
            files.prepare(state.session(), options);
            loop.post(handler);
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
                "{} cannot be continued: {}. Its VM hangs when it next stops, resets or restarts the device, until"
                        + " another front-end connects to this socket",
                name,
                refused.getMessage());
    }

    StoredSession stored() {
        return stored;
    }

    /** The socket of the front-end. {@link VhostUserSession#restore} leaves it open if it fails. */
    public UnixStreamSocket socket() {
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
        closeExceptSocket();
        socket.fd().closeNow();
    }

    /** Like {@link #close}, but leaves {@link #socket} open. */
    public void closeExceptSocket() {
        files.close();
        stored.close();
    }
}
