package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.protocol.FramingViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.JournaledMessageChannel;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/**
 * Makes a session outlive this process: adds it to the service manager's store, and commits its state to the journal
 * after each message. Confined to the loop's thread.
 */
final class SessionPersistence implements AutoCloseable {
    /** Size of the socket's send buffer, which has room for some hundred replies. */
    private static final int SEND_BUFFER_BYTES = 64 * 1024;

    private final GuestContext guest;
    private final StoredSession stored;
    private final JournaledMessageChannel channel;
    private SessionStore.Added added;

    private SessionPersistence(
            GuestContext guest, StoredSession stored, UnixStreamSocket socket, SessionStore.Added added) {
        this.guest = guest;
        this.stored = stored;
        this.channel = new JournaledMessageChannel(socket, stored);
        this.added = added;
    }

    /** Creates the journal of a new session. {@link #store} adds the session to the store. */
    static SessionPersistence ofNewSession(GuestContext guest, UnixStreamSocket socket) throws ErrnoException {
        try {
            socket.limitSendBuffer(SEND_BUFFER_BYTES);
            StoredSession stored = StoredSession.create(guest.store().newName(), socket.fd(), guest.peerFiles());
            return new SessionPersistence(guest, stored, socket, SessionStore.Added.BUSY);
        } catch (ErrnoException refused) {
            socket.close();
            throw refused;
        } catch (IOException impossible) {
            socket.close();
            throw new IllegalStateException(impossible);
        }
    }

    /** Creates the persistence of a session that a previous process stored. */
    static SessionPersistence ofRestoredSession(GuestContext guest, RestorableSession session) {
        return new SessionPersistence(guest, session.stored(), session.socket(), SessionStore.Added.IN_STORE);
    }

    /** Commits the first state of a new session. */
    void begin(SessionSnapshot session) {
        try {
            commit(session);
            keepDeviceState(false);
        } catch (FramingViolationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Returns whether the front-end has sent a message since it connected. {@link #begin} commits before the first. */
    boolean hasServedMessages() {
        return journal().sequence() > 1;
    }

    /** Completes the last commit of the previous process. */
    void restore(CommittedSession state, RestoredFiles files) throws IOException, FramingViolationException {
        OwnedFd replyFd = state.replyFd() == SessionSnapshot.NO_FD ? null : files.takeFd(state.replyFd());
        channel.restore(state.messageBytes(), state.replyBytes(), replyFd, state.lastFd());
        journal().setAttempts(0);
    }

    /**
     * Makes the device keep its state in the journal from now on.
     *
     * @param continued whether the device continues from the state that a previous process left in the journal
     */
    void keepDeviceState(boolean continued) {
        boolean intact = guest.device()
                .persistIn(journal().deviceMemory(), continued, guest.loop().now(), System.nanoTime());
        if (!intact) {
            guest.log()
                    .warn("the stored counters and limits are damaged; they continue from an earlier request, or begin"
                            + " anew");
        }
    }

    JournaledMessageChannel channel() {
        return channel;
    }

    SessionJournal journal() {
        return stored.journal();
    }

    /**
     * Adds the session to the service manager's store, once. Returns false if the service manager is busy: try again
     * later. A session that the service manager refuses is served, but ends with this process.
     */
    boolean store() {
        if (added == SessionStore.Added.BUSY) {
            added = guest.store().add(stored);
        }
        return added != SessionStore.Added.BUSY;
    }

    /** Returns whether the service manager has the session, so that the next process continues it. */
    boolean isInStore() {
        return added == SessionStore.Added.IN_STORE;
    }

    /** Returns whether a reply waits for {@link #commit}. */
    boolean hasStagedReply() {
        return channel.stagedBytes() > 0;
    }

    /** Commits the state after a message or a delayed reply, and sends the reply. */
    void commit(SessionSnapshot session) throws FramingViolationException {
        long replyFd = channel.keepReplyFd();
        CommittedSession state = new CommittedSession(
                guest.endpoint(), channel.peekedBytes(), channel.stagedBytes(), replyFd, channel.lastFdId(), session);
        channel.commit(SessionSnapshotCodec.encode(state), fd -> session.uses(fd) || fd == replyFd);
    }

    /** Removes the session from the service manager's store, because it has ended. */
    void endSession() {
        if (added == SessionStore.Added.IN_STORE) {
            guest.store().remove(stored.name());
        }
        close();
    }

    /** Closes this process's descriptors of the stored session. */
    @Override
    public void close() {
        boolean ignored = guest.device().persistIn(null, false, 0, 0);
        assert ignored;
        stored.close();
    }
}
