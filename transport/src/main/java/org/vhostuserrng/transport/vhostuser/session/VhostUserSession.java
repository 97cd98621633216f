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
 * The session of a connected front-end: receives its messages one by one and passes them to a
 * {@link FrontendRequestHandler}. A violation ends only this session. Confined to the loop's thread.
 */
public final class VhostUserSession extends EventHandler implements GuestSession {
    /** Maximum number of requests per dispatch, so that a front-end that floods the socket does not occupy the loop. */
    private static final int MAX_REQUESTS_PER_DISPATCH = 16;

    /** Time budget of a dispatch. Requests that map memory or start vrings take longer than a guest's request. */
    private static final long DISPATCH_BUDGET_NANOS = 100_000;

    /** Time after which the log names a message whose files are still being prepared. */
    private static final long SLOW_FILES_NANOS = 1_000_000_000L;

    private final GuestContext guest;
    private final VhostUserMessageChannel channel;
    /** Null if the session does not outlive this process. */
    private final SessionPersistence persistence;

    private final UnreadReplyTimer unreadReplies;
    private final Runnable onClosed;
    private final String peer;
    private final long openedAt;
    /** Null unless JFR was initialized when the front-end connected. */
    private final VhostUserSessionEvent event;
    /** Set by {@link #open}, because the vrings refer to this event handler. */
    private FrontendRequestHandler requests;

    /** The message whose files are being prepared; null for none. */
    private ReceivedRequest unprepared;

    /** When {@link #unprepared} arrived. */
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
        // Loading the event class initializes JFR, which takes 170 ms and 5 MB.
        this.event = FlightRecorder.isInitialized()
                ? new VhostUserSessionEvent(guest.device().name())
                : null;
    }

    /**
     * Serves a front-end until it disconnects or violates the protocol.
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
     * Continues the session of a predecessor of this process.
     *
     * @param stored the session, {@link RestorableSession#isPrepared prepared}; this method takes ownership
     * @throws IOException if the session cannot be continued; it is left in the store
     */
    public static VhostUserSession restore(GuestContext guest, RestorableSession stored, Runnable onClosed)
            throws IOException {
        SessionPersistence persistence = SessionPersistence.ofRestoredSession(guest, stored);
        VhostUserSession session = new VhostUserSession(guest, stored.socket(), persistence, onClosed);
        session.requests = new FrontendRequestHandler(guest, session, journal(persistence));
        try (RestoredFiles files = stored.files()) {
            persistence.keepDeviceState(true);
            session.requests.restore(stored.state().session(), files);
            persistence.restore(stored.state(), files);
            session.spoken = stored.state().messageBytes() > 0;
            session.begin();
        } catch (IOException refused) {
            session.abandon();
            throw refused;
        } catch (ProtocolViolationException refused) {
            session.abandon();
            throw new IOException(refused.getMessage(), refused);
        }
        // Messages may have arrived while no process served the session.
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
            // Posted by the executor before the session was closed.
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
                // The socket may be empty, and causes no further event then.
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
     * Pauses the session while the files of a message are being prepared, until the service manager has stored it, and
     * while too many files of this front-end wait to be closed, which limits how many it can leave open. The front-end
     * loses only time.
     */
    private boolean mustPause(long now) throws IOException {
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
     * Stops reading the socket. The caller has the session dispatched again.
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
     * Serves the messages that have arrived, within the budget.
     *
     * @return MESSAGE if there may be more of them, INCOMPLETE if all have been served, CLOSED if the front-end has
     *     disconnected
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
        ReceivedRequest received =
                requests.receive(channel.id(), channel.needsReply(), channel.payload(), channel.fds());
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

    /** Serves the message whose files have been prepared meanwhile, if there is one. */
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

    /** Whether the session has ended. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public boolean isStored() {
        return persistence != null;
    }

    /** Gives up a session that this process cannot continue. It stays in the store, and its front-end connected. */
    private void abandon() {
        closed = true;
        unreadReplies.cancel();
        requests.abandon();
        guest.loop().cancel(this);
        channel.fd().closeNow();
        persistence.close();
    }

    /** While a reply is unsent, watches the socket for writing instead of reading. */
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
