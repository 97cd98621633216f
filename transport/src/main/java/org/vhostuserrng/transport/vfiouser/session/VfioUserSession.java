package org.vhostuserrng.transport.vfiouser.session;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.session.GuestSession;
import org.vhostuserrng.transport.session.UnreadReplyTimer;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel.Received;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;
import org.vhostuserrng.transport.vfiouser.session.VfioUserCommandHandler.Progress;

/**
 * The session of a connected client: receives its messages one by one and passes them to a
 * {@link VfioUserCommandHandler}. A violation ends only this session. The PCI function belongs to the session: the next
 * client finds it in its initial state. Confined to the loop's thread.
 */
public final class VfioUserSession extends EventHandler implements GuestSession {
    /** Maximum number of commands per dispatch, so that a client that floods the socket does not occupy the loop. */
    private static final int MAX_COMMANDS_PER_DISPATCH = 16;

    /** Time budget of a dispatch. Commands that map memory or start virtqueues take longer than a guest's request. */
    private static final long DISPATCH_BUDGET_NANOS = 100_000;

    /** Time after which the log names a command whose file is still being prepared. */
    private static final long SLOW_FILE_NANOS = 1_000_000_000L;

    private final VfioUserGuest guest;
    private final VfioUserMessageChannel channel;
    private final UnreadReplyTimer unreadReplies;
    private final Runnable onClosed;
    private final String peer;
    private final long openedAt;
    private final ServerDmaCommands dmaCommands;
    private final VfioUserFunctionHost host;
    private final VfioUserCommandHandler commands;

    /** Of the message in the channel; DONE if there is none. */
    private Progress progress = Progress.DONE;

    /** When the message in the channel arrived. */
    private long receivedAt;

    private boolean slowFileLogged;
    private boolean watchedForWriting;
    private boolean paused;
    private boolean spoken;
    private boolean closed;

    private VfioUserSession(VfioUserGuest guest, UnixStreamSocket socket, Runnable onClosed) {
        this.guest = guest;
        this.channel = new VfioUserMessageChannel(socket);
        this.peer = socket.describePeer();
        this.unreadReplies = new UnreadReplyTimer(
                guest.loop(),
                channel::unreceived,
                this,
                () -> close("session closed: the client (" + peer + ") does not read its replies"));
        this.onClosed = onClosed;
        this.openedAt = guest.loop().now();
        this.dmaCommands = new ServerDmaCommands(
                guest.loop(),
                channel,
                this,
                () -> !paused,
                () -> close("session closed: the client (" + peer + ") does not reply to a DMA command"));
        this.host = new VfioUserFunctionHost(guest, dmaCommands, this);
        this.commands = new VfioUserCommandHandler(guest, channel, host);
    }

    /**
     * Serves a client until it disconnects or violates the protocol.
     *
     * @param onClosed called once on the loop's thread, after the session has released all resources
     */
    public static VfioUserSession open(VfioUserGuest guest, UnixStreamSocket socket, Runnable onClosed)
            throws ErrnoException {
        VfioUserSession session = new VfioUserSession(guest, socket, onClosed);
        try {
            guest.loop().watch(session, session.channel.fd());
        } catch (ErrnoException refused) {
            session.channel.close();
            throw refused;
        }
        guest.device().sessionBegan(false, session.openedAt);
        guest.log().info("vfio-user client connected (" + session.peer + ")");
        return session;
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
        close("client (" + peer + ") sent no message and gives way to another one (" + nextPeer + ")");
    }

    @Override
    public void dispatchVrings() {
        if (!closed) {
            host.dispatchVirtqueues();
        }
    }

    @Override
    public boolean isStored() {
        return false;
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (closed) {
            // Posted by the executor before the session was closed.
            return;
        }
        try {
            if (unreadReplies.hasUnreceived()) {
                unreadReplies.update(now);
            }
            if (mustPause(now)) {
                return;
            }
            channel.flush();
            resumeCommand(now);
            Received last = serveMessages(now);
            if (last == Received.CLOSED) {
                close("client disconnected");
                return;
            }
            if (last == Received.MESSAGE) {
                rescheduleIfBuffered();
            }
            if (!channel.hasUnsent()) {
                host.transferMemory();
            }
            watchForWriting();
            // Not for an available buffer notification, which has no reply: this is a system call.
            if (channel.takeReplied()) {
                unreadReplies.update(now);
            }
        } catch (VfioUserViolationException violation) {
            close("session closed: " + violation.getMessage());
        } catch (IOException failure) {
            close("session closed: " + failure.getMessage());
        }
    }

    /**
     * Pauses the session while the file of a command is being prepared, and while too many files of this client wait to
     * be closed, which limits how many it can leave open. The client loses only time.
     */
    private boolean mustPause(long now) throws IOException {
        if (progress == Progress.FILE_UNPREPARED && !commands.file().isPrepared()) {
            logSlowFile(now);
            pause();
            if (!slowFileLogged) {
                guest.loop().schedule(this, receivedAt + SLOW_FILE_NANOS);
            }
        } else if (progress == Progress.DONE && guest.peerFiles().isFull()) {
            pause();
            guest.loop().schedule(this, now + PeerFileExecutor.RETRY_NANOS);
        } else if (paused) {
            guest.loop().watch(this, channel.fd());
            watchedForWriting = false;
            paused = false;
        }
        return paused;
    }

    /** Stops reading the socket. The caller has the session dispatched again. */
    private void pause() {
        if (!paused) {
            paused = true;
            guest.loop().unwatch(this, channel.fd());
        }
    }

    private void logSlowFile(long now) {
        if (!slowFileLogged && now - receivedAt >= SLOW_FILE_NANOS) {
            slowFileLogged = true;
            guest.log().warn("command DMA_MAP waits until the client releases a file that it sent");
        }
    }

    /**
     * Serves the messages that have arrived, within the budget.
     *
     * @return MESSAGE if there may be more of them, INCOMPLETE if all have been served, CLOSED if the client has
     *     disconnected
     */
    private Received serveMessages(long began) throws VfioUserViolationException {
        long time = began;
        for (int i = 0; i < MAX_COMMANDS_PER_DISPATCH && mayReceive(); i++) {
            Received received = channel.receive();
            if (received != Received.MESSAGE) {
                return received;
            }
            spoken = true;
            receivedAt = time;
            serveMessage(time);
            time = guest.loop().now();
            if (time - began > DISPATCH_BUDGET_NANOS) {
                return Received.MESSAGE;
            }
        }
        return Received.MESSAGE;
    }

    private void serveMessage(long now) throws VfioUserViolationException {
        if (channel.isReply()) {
            dmaCommands.replied();
            channel.done();
        } else {
            executed(commands.execute(), now);
        }
    }

    private boolean mayReceive() {
        return progress == Progress.DONE
                && !channel.hasUnsent()
                && !guest.peerFiles().isFull();
    }

    /** Continues a command whose file has been prepared, or whose writes are not complete. */
    private void resumeCommand(long now) throws VfioUserViolationException {
        if (progress != Progress.DONE && !channel.hasUnsent()) {
            executed(commands.resume(), now);
        }
    }

    private void executed(Progress newProgress, long now) {
        progress = newProgress;
        host.dispatchNotified(now);
        switch (progress) {
            case DONE -> channel.done();
            case FILE_UNPREPARED -> prepareFile();
            case WRITES_LEFT -> guest.loop().reschedule(this);
        }
    }

    private void prepareFile() {
        slowFileLogged = false;
        DmaRegionFile file = commands.file();
        guest.peerFiles().execute(() -> {
            file.prepare();
            guest.loop().post(this);
        });
    }

    /** Continues with messages that the channel has received already: the socket causes no event for them. */
    private void rescheduleIfBuffered() {
        if (progress == Progress.DONE && channel.hasBuffered() && !channel.hasUnsent()) {
            guest.loop().reschedule(this);
        }
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
            commands.close();
            host.close();
            if (!paused) {
                guest.loop().unwatch(this, channel.fd());
            }
            guest.loop().cancel(this);
        } finally {
            channel.close();
            guest.device().sessionEnded();
            onClosed.run();
        }
    }

    private void close(String reason) {
        guest.log().info(reason + "; served so far: " + guest.device().statistics());
        close();
    }
}
