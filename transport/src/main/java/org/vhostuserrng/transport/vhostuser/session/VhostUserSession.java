package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import jdk.jfr.FlightRecorder;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.session.GuestSession;
import org.vhostuserrng.transport.session.UnreadReplyTimer;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel.Received;

/**
 * The session of a connected front-end. Receives its messages one by one, and passes them to a
 * {@link FrontendRequestHandler}. A violation ends only this session. Confined to the loop's thread.
 */
public final class VhostUserSession extends EventHandler implements GuestSession {
    /**
     * Maximum number of requests per dispatch, so that a front-end that floods the socket does not block other guests.
     */
    private static final int MAX_REQUESTS_PER_DISPATCH = 16;

    /**
     * Time after which a dispatch receives no further message. Some messages take long, such as those that start
     * vrings.
     */
    private static final long DISPATCH_BUDGET_NANOS = 100_000;

    /** Time after which a warning is logged if the files of a message are still being prepared. */
    private static final long SLOW_FILES_NANOS = 1_000_000_000L;

    private final GuestContext guest;
    private final VhostUserMessageChannel channel;
    /** Stores the session; null if the session does not outlive this process. */
    private final SessionPersistence persistence;

    private final UnreadReplyTimer unreadReplies;
    private final Runnable onClosed;
    private final String peer;
    private final long openedAt;
    /** The JFR event of this session; null if JFR was not initialized when the front-end connected. */
    private final VhostUserSessionEvent event;
    /** Set by {@link #open} or {@link #restore} after construction, because the vrings refer to this event handler. */
    private FrontendRequestHandler requests;

    /** The message whose files are being prepared; null if there is none. */
    private ReceivedRequest unprepared;

    /** The time when {@link #unprepared} arrived. */
    private long receivedAt;

    private boolean slowFilesLogged;
    private boolean watchedForWriting;
    private boolean paused;
    private boolean spoken;
    private boolean closed;

    private VhostUserSession(
            GuestContext guest, UnixStreamSocket socket, SessionPersistence persistence, Runnable onClosed) {
        this.guest = guest;
        this.persistence = persistence;
        this.channel = persistence == null ? new VhostUserMessageChannel(socket) : persistence.channel();
        this.unreadReplies = new UnreadReplyTimer(
                guest.loop(),
                channel::unreceived,
                this,
                () -> close("session closed: the front-end (" + socket.describePeer() + ") does not read its replies"));
        this.onClosed = onClosed;
        this.peer = socket.describePeer();
        this.openedAt = guest.loop().now();
        // Does not load the event class unless JFR is in use: this would initialize JFR, which takes 170 ms and 5 MB.
        this.event = FlightRecorder.isInitialized()
                ? new VhostUserSessionEvent(guest.device().name())
                : null;
    }

    /**
     * Opens a session that serves a front-end until it disconnects or violates the protocol.
     *
     * @param onClosed called once on the loop's thread, after the session has released all resources
     */
    public static VhostUserSession open(GuestContext guest, UnixStreamSocket socket, Runnable onClosed)
            throws ErrnoException {
        SessionPersistence persistence = guest.store() == null ? null : SessionPersistence.ofNewSession(guest, socket);
        VhostUserSession session = new VhostUserSession(guest, socket, persistence, onClosed);
        session.requests = new FrontendRequestHandler(guest, session, journal(persistence));
        try {
            session.begin();
        } catch (ErrnoException refused) {
            session.channel.close();
            if (persistence != null) {
                persistence.close();
            }
            throw refused;
        }
        if (persistence != null) {
            persistence.begin(session.requests.snapshot());
            guest.loop().reschedule(session);
        }
        guest.device().sessionBegan(false, session.openedAt);
        guest.log().info("front-end connected (" + session.peer + ")");
        return session;
    }

    /**
     * Continues the session of a previous process.
     *
     * @param stored the session, which must be {@link RestorableSession#isPrepared prepared}; this method takes
     *     ownership
     * @throws IOException if the session cannot be continued; it remains in the store, and its socket is open
     */
    public static VhostUserSession restore(GuestContext guest, RestorableSession stored, Runnable onClosed)
            throws IOException {
        SessionPersistence persistence = SessionPersistence.ofRestoredSession(guest, stored);
        VhostUserSession session = new VhostUserSession(guest, stored.socket(), persistence, onClosed);
        session.requests = new FrontendRequestHandler(guest, session, journal(persistence));
        stored.beginAttempt();
        try (RestoredFiles files = stored.files()) {
            persistence.keepDeviceState(true);
            session.requests.restore(stored.state().session(), files);
            persistence.restore(stored.state(), files);
            session.spoken = persistence.hasServedMessages();
            session.begin();
        } catch (IOException refused) {
            stored.endAttempt();
            session.abandon();
            throw refused;
        } catch (ProtocolViolationException refused) {
            stored.endAttempt();
            session.abandon();
            throw new IOException(refused.getMessage(), refused);
        }
        // Dispatches the session, because messages may have arrived while no process served it.
        guest.loop().reschedule(session);
        guest.device().sessionBegan(true, session.openedAt);
        guest.log().info("session continued (" + session.peer + ")");
        return session;
    }

    private static SessionJournal journal(SessionPersistence persistence) {
        return persistence == null ? null : persistence.journal();
    }

    private void begin() throws ErrnoException {
        guest.loop().watch(this, channel.fd());
        if (event != null) {
            event.begin();
        }
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public boolean isPeerGone() {
        return channel.isPeerGone();
    }

    @Override
    public boolean isSilent(long now) {
        return !spoken && now - openedAt >= MAX_SILENCE_NANOS;
    }

    @Override
    public void giveWay(String nextPeer) {
        close("front-end (" + peer + ") sent no message and gives way to another one (" + nextPeer + ")");
    }

    @Override
    public void dispatchVrings() {
        if (!closed) {
            requests.dispatchVrings();
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (closed) {
            // The executor has posted this handler before the session was closed.
            return;
        }
        try {
            unreadReplies.update(now);
            if (mustPause(now)) {
                return;
            }
            servePrepared();
            channel.flush();
            requests.answerPendingCheck(channel);
            commitReply();
            Received last = serveMessages(now);
            if (last == Received.CLOSED) {
                close("front-end disconnected");
                return;
            }
            if (last == Received.INCOMPLETE) {
                requests.resume();
            } else if (unprepared == null && requests.isPaused() && !channel.hasUnsent()) {
                // Dispatches the session again, because the socket may be empty and then causes no further event.
                guest.loop().reschedule(this);
            }
            watchForWriting();
            unreadReplies.update(now);
        } catch (ProtocolViolationException violation) {
            close("session closed: " + violation.getMessage());
        } catch (IOException failure) {
            close("session closed: " + failure.getMessage());
        }
    }

    /**
     * Pauses or resumes the session, and returns whether it is paused. The session is paused while the files of a
     * message are being prepared, until the service manager has stored the session, and while too many files of this
     * front-end wait to be closed, which limits the number of its files that are open.
     */
    private boolean mustPause(long now) throws ErrnoException {
        if (unprepared != null && !unprepared.files().isPrepared()) {
            logSlowFiles(now);
            pause(null);
            if (!slowFilesLogged) {
                guest.loop().schedule(this, receivedAt + SLOW_FILES_NANOS);
            }
        } else if (persistence != null && !persistence.store()) {
            pause("the service manager has stored it");
            guest.loop().schedule(this, now + PeerFileExecutor.RETRY_NANOS);
        } else if (unprepared == null && guest.peerFiles().isFull()) {
            pause("earlier descriptors of the front-end are closed");
            guest.loop().schedule(this, now + PeerFileExecutor.RETRY_NANOS);
        } else if (paused) {
            guest.loop().watch(this, channel.fd());
            watchedForWriting = false;
            paused = false;
        }
        return paused;
    }

    /**
     * Stops reading the socket. The caller must make sure that the session is dispatched again.
     *
     * @param until the event that ends the pause, for the log; null to log nothing
     */
    private void pause(String until) {
        if (!paused) {
            paused = true;
            guest.loop().unwatch(this, channel.fd());
            if (until != null) {
                guest.log().info("session paused until " + until);
            }
        }
    }

    private void logSlowFiles(long now) {
        if (!slowFilesLogged && now - receivedAt >= SLOW_FILES_NANOS) {
            slowFilesLogged = true;
            guest.log().warn("request " + unprepared.id() + " waits until the front-end releases a file that it sent");
        }
    }

    /**
     * Serves messages that have arrived, up to a limit of number and time.
     *
     * @return MESSAGE if more messages may have arrived, INCOMPLETE if all have been served, CLOSED if the front-end
     *     has disconnected
     */
    private Received serveMessages(long began) throws ProtocolViolationException {
        for (int i = 0; i < MAX_REQUESTS_PER_DISPATCH && mayReceive(); i++) {
            Received received = channel.receive();
            if (received != Received.MESSAGE) {
                return received;
            }
            receiveMessage();
            if (guest.loop().now() - began > DISPATCH_BUDGET_NANOS) {
                return Received.MESSAGE;
            }
        }
        return Received.MESSAGE;
    }

    private boolean mayReceive() {
        return unprepared == null && !channel.hasUnsent() && !guest.peerFiles().isFull();
    }

    private void receiveMessage() throws ProtocolViolationException {
        spoken = true;
        ProtocolViolationException violation = channel.violation();
        ReceivedRequest received = violation == null
                ? requests.receive(channel.id(), channel.needsReply(), channel.payload(), channel.fds())
                : requests.refuse(channel.id(), channel.needsReply(), channel.fds(), violation);
        if (!received.files().mayBlock()) {
            received.files().prepare();
            serve(received);
            return;
        }
        unprepared = received;
        receivedAt = guest.loop().now();
        slowFilesLogged = false;
        requests.pause();
        guest.peerFiles().execute(() -> {
            received.files().prepare();
            guest.loop().post(this);
        });
        servePrepared();
    }

    /** Serves the message whose files were being prepared, if this has ended. */
    private void servePrepared() throws ProtocolViolationException {
        if (unprepared != null && unprepared.files().isPrepared()) {
            ReceivedRequest received = unprepared;
            unprepared = null;
            serve(received);
        }
    }

    private void serve(ReceivedRequest received) throws ProtocolViolationException {
        try {
            requests.serve(received, channel);
            if (persistence != null) {
                persistence.commit(requests.snapshot());
            }
        } finally {
            channel.done();
        }
    }

    private void commitReply() throws ProtocolViolationException {
        if (persistence != null && persistence.hasStagedReply()) {
            persistence.commit(requests.snapshot());
        }
    }

    /** Returns whether the session has ended. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public boolean isStored() {
        return persistence != null && persistence.isInStore();
    }

    /**
     * Releases a session that this process cannot continue, except its socket. The session stays in the store, and its
     * front-end connected.
     */
    private void abandon() {
        closed = true;
        unreadReplies.cancel();
        requests.abandon();
        guest.loop().cancel(this);
        persistence.close();
    }

    /** Watches the socket for writing instead of reading while a reply is unsent. */
    private void watchForWriting() throws ErrnoException {
        if (channel.hasUnsent() != watchedForWriting) {
            watchedForWriting = channel.hasUnsent();
            guest.loop().watchForWriting(this, channel.fd(), watchedForWriting);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        guest.log().bug("this session ends, the others go on", bug);
        close();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        unreadReplies.cancel();
        try {
            closeUnprepared();
            requests.close();
            if (!paused) {
                guest.loop().unwatch(this, channel.fd());
            }
            guest.loop().cancel(this);
        } finally {
            channel.close();
            if (persistence != null) {
                persistence.endSession();
            }
            if (event != null) {
                event.commit();
            }
            guest.device().sessionEnded();
            onClosed.run();
        }
    }

    private void closeUnprepared() {
        if (unprepared != null) {
            RequestFiles files = unprepared.files();
            guest.peerFiles().execute(files::close);
            unprepared = null;
        }
    }

    private void close(String reason) {
        guest.log().info(reason + "; served so far: " + guest.device().statistics());
        close();
    }
}
