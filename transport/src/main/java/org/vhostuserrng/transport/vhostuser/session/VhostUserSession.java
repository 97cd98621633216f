package org.vhostuserrng.transport.vhostuser.session;

import jdk.jfr.FlightRecorder;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.protocol.FramingViolation;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequestDecoder;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec;

/**
 * A front-end that is connected: answers its requests, one after the other.
 * Whatever it does wrong ends this session only. Confined to the loop's thread.
 */
public final class VhostUserSession extends EventHandler implements AutoCloseable {
    /** Requests answered in one turn: a front-end that floods us does not keep the loop from the others. */
    private static final int REQUESTS_A_TURN = 16;

    /** After so long no further one is begun: some map memory or start rings, which takes longer than a guest's request. */
    private static final long NANOS_A_TURN = 100_000;

    private static final long ACK = 0;
    private static final long NACK = 1;

    private final GuestContext guest;
    private final VhostUserMessageChannel channel;
    private final Runnable onClosed;
    private final FrontendRequestHandler state;
    /** Null if nobody recorded when the front-end connected. */
    private final VhostUserSessionEvent event;

    private boolean replyWaits;
    private boolean paused;
    private boolean closed;

    private VhostUserSession(GuestContext guest, UnixStreamSocket stream, Runnable onClosed) {
        this.guest = guest;
        this.channel = new VhostUserMessageChannel(stream);
        this.onClosed = onClosed;
        this.state = new FrontendRequestHandler(guest, this);
        // Its class alone makes JFR ready to record: 170 ms and 5 MB.
        this.event = FlightRecorder.isInitialized()
                ? new VhostUserSessionEvent(guest.device().name())
                : null;
    }

    /**
     * Serves a front-end until it disconnects or breaks the protocol.
     *
     * @param onClosed called on the loop's thread, once, when everything of the session has been released
     */
    public static VhostUserSession open(GuestContext guest, UnixStreamSocket stream, Runnable onClosed)
            throws ErrnoException {
        VhostUserSession session = new VhostUserSession(guest, stream, onClosed);
        try {
            guest.loop().watch(session, stream.fd());
        } catch (ErrnoException refused) {
            session.channel.close();
            throw refused;
        }
        if (session.event != null) {
            session.event.begin();
        }
        guest.log().info("front-end connected");
        return session;
    }

    @Override
    protected void run(long now, boolean ready) {
        try {
            if (isToPause(now)) {
                return;
            }
            channel.flush();
            answerCheck();
            if (!answerRequests(now)) {
                close("front-end disconnected");
                return;
            }
            watchForRoom();
        } catch (ProtocolViolation violation) {
            close("session closed: " + violation.getMessage());
        } catch (ErrnoException fault) {
            close("session closed: " + fault.getMessage());
        }
    }

    /**
     * Looks away from a front-end whose descriptors take long to close until they are: what it can leave open is bounded so,
     * and it loses nothing but time.
     */
    private boolean isToPause(long now) throws ErrnoException {
        if (guest.closing().isFull()) {
            if (!paused) {
                paused = true;
                guest.loop().unwatch(this, channel.fd());
                guest.log().info("front-end waits until what it sent before has been closed");
            }
            guest.loop().schedule(this, now + DeferredCloser.RETRY_NANOS);
        } else if (paused) {
            guest.loop().watch(this, channel.fd());
            replyWaits = false;
            paused = false;
        }
        return paused;
    }

    /** Answers what has come, until this turn is over: false if the front-end has gone. */
    private boolean answerRequests(long began) throws ProtocolViolation {
        for (int i = 0; i < REQUESTS_A_TURN && mayReceive(); i++) {
            switch (channel.receive()) {
                case MESSAGE -> serve();
                case INCOMPLETE -> {
                    return true;
                }
                case CLOSED -> {
                    return false;
                }
            }
            if (guest.loop().now() - began > NANOS_A_TURN) {
                return true;
            }
        }
        return true;
    }

    private boolean mayReceive() {
        return !channel.hasUnsent() && !guest.closing().isFull();
    }

    @Override
    protected void fail(RuntimeException bug) {
        guest.log().bug("this session ends, the others go on", bug);
        close();
    }

    /** Ends the session and releases all that it holds. Does nothing the second time. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            state.close();
            if (!paused) {
                guest.loop().unwatch(this, channel.fd());
            }
            guest.loop().forget(this);
        } finally {
            channel.close();
            if (event != null) {
                event.commit();
            }
            onClosed.run();
        }
    }

    private void close(String reason) {
        guest.log().info(reason + "; so far " + guest.device().statistics());
        close();
    }

    /** vhost-user, CHECK_DEVICE_STATE: the back-end responds once it knows whether the transfer was successful. */
    private void answerCheck() throws ProtocolViolation {
        if (state.transfer().isDue()) {
            channel.replyTo(
                    VhostUserSpec.VHOST_USER_CHECK_DEVICE_STATE,
                    state.transfer().outcome());
        }
    }

    /** Serves the message that the channel holds. */
    private void serve() throws ProtocolViolation {
        if (state.transfer().checkWaits()) {
            throw new ProtocolViolation("request " + channel.id() + " before CHECK_DEVICE_STATE was answered");
        }
        // vhost-user, IOTLB_MSG: the back-end has to acknowledge it, asked or not.
        boolean acknowledge =
                channel.id() == VhostUserSpec.VHOST_USER_IOTLB_MSG || (channel.needsReply() && state.acknowledges());
        boolean replied = false;
        long outcome = ACK;
        try {
            state.handle(decode(), channel.fds(), channel);
            replied = repliesByItself(channel.id());
        } catch (FramingViolation beyondRepair) {
            throw beyondRepair;
        } catch (ProtocolViolation violation) {
            if (!acknowledge || refusalLooksLikeAnAnswer(channel.id())) {
                throw new ProtocolViolation("request " + channel.id() + ": " + violation.getMessage(), violation);
            }
            guest.log().warn("request " + channel.id() + " refused: " + violation.getMessage());
            outcome = NACK;
        } finally {
            // Before the reply: who reads it may rely on nothing that the message needed being open any more.
            channel.done();
        }
        if (acknowledge && !replied) {
            channel.reply(outcome);
        }
    }

    /**
     * Whether the front-end would take a refusal for what it asked for. vhost-user, REPLY_ACK: for a request that has a
     * reply of its own need_reply changes nothing.
     */
    private static boolean refusalLooksLikeAnAnswer(int id) {
        return switch (id) {
            case VhostUserSpec.VHOST_USER_GET_FEATURES, VhostUserSpec.VHOST_USER_GET_PROTOCOL_FEATURES -> true;
            case VhostUserSpec.VHOST_USER_GET_QUEUE_NUM, VhostUserSpec.VHOST_USER_GET_MAX_MEM_SLOTS -> true;
            case VhostUserSpec.VHOST_USER_GET_VRING_BASE, VhostUserSpec.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN -> true;
            case VhostUserSpec.VHOST_USER_GET_STATUS, VhostUserSpec.VHOST_USER_SET_LOG_BASE -> true;
            default -> false;
        };
    }

    /** Whether a request that was carried out has its reply, or will have, without an acknowledgement. */
    private static boolean repliesByItself(int id) {
        return switch (id) {
            case VhostUserSpec.VHOST_USER_GET_INFLIGHT_FD, VhostUserSpec.VHOST_USER_SET_DEVICE_STATE_FD -> true;
            case VhostUserSpec.VHOST_USER_CHECK_DEVICE_STATE -> true;
            default -> refusalLooksLikeAnAnswer(id);
        };
    }

    private FrontendRequest decode() throws ProtocolViolation {
        return FrontendRequestDecoder.decode(
                channel.id(), channel.payload(), channel.fds().count());
    }

    /** While a reply waits, room to send it is what the loop has to look for, not the next request. */
    private void watchForRoom() throws ErrnoException {
        if (channel.hasUnsent() != replyWaits) {
            replyWaits = channel.hasUnsent();
            guest.loop().watchForWriting(this, channel.fd(), replyWaits);
        }
    }
}
