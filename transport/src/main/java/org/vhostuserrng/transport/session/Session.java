package org.vhostuserrng.transport.session;

import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_F_PROTOCOL_FEATURES;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_MQ;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_REPLY_ACK;
import static org.vhostuserrng.transport.protocol.VhostUser.mask;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.loop.Activity;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.protocol.FramingViolation;
import org.vhostuserrng.transport.protocol.MessageChannel;
import org.vhostuserrng.transport.protocol.ProtocolViolation;
import org.vhostuserrng.transport.protocol.ReceivedFds;
import org.vhostuserrng.transport.protocol.Request;
import org.vhostuserrng.transport.protocol.RequestDecoder;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.UnixStream;

/**
 * A front-end that is connected: answers its requests, one after the other, and owns its memory table and rings.
 * Whatever it does wrong ends this session only. Confined to the loop's thread.
 */
public final class Session extends Activity implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    /** Requests answered in one turn: a front-end that floods us does not keep the loop from the others. */
    private static final int REQUESTS_A_TURN = 16;

    private static final long PROTOCOL_FEATURES =
            mask(VHOST_USER_PROTOCOL_F_MQ) | mask(VHOST_USER_PROTOCOL_F_REPLY_ACK);
    private static final long ACK = 0;
    private static final long NACK = 1;

    private final EventLoop loop;
    private final VirtioDevice device;
    private final MessageChannel channel;
    private final Runnable onClosed;
    private final RingSlot[] rings;

    private long features;
    private long protocolFeatures;
    private MemoryTable memory = MemoryTable.empty();
    private boolean hasMemory;
    private boolean replyWaits;
    private boolean closed;

    private Session(EventLoop loop, VirtioDevice device, UnixStream stream, Runnable onClosed) {
        this.loop = loop;
        this.device = device;
        this.channel = new MessageChannel(stream);
        this.onClosed = onClosed;
        this.rings = new RingSlot[device.queueCount()];
        for (int i = 0; i < rings.length; i++) {
            rings[i] = new RingSlot(i, loop, device, this);
        }
    }

    /**
     * Serves a front-end until it disconnects or breaks the protocol.
     *
     * @param onClosed called on the loop's thread, once, when everything of the session has been released
     */
    public static Session open(EventLoop loop, VirtioDevice device, UnixStream stream, Runnable onClosed)
            throws HostFault {
        Session session = new Session(loop, device, stream, onClosed);
        try {
            loop.watch(session, stream.fd());
        } catch (HostFault refused) {
            session.channel.close();
            throw refused;
        }
        LOG.info("{}: front-end connected", device.name());
        return session;
    }

    @Override
    protected void run(long now, boolean ready) {
        try {
            channel.flush();
            for (int i = 0; i < REQUESTS_A_TURN && !channel.hasUnsent(); i++) {
                switch (channel.receive()) {
                    case MESSAGE -> serve();
                    case INCOMPLETE -> i = REQUESTS_A_TURN;
                    case CLOSED -> {
                        close("front-end disconnected");
                        return;
                    }
                }
            }
            watchForRoom();
        } catch (ProtocolViolation violation) {
            close("session closed: " + violation.getMessage());
        } catch (HostFault fault) {
            close("session closed: " + fault.getMessage());
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        LOG.error("{}: bug in vhost-user-rng; this session ends, the others go on", device.name(), bug);
        close();
    }

    /** Ends the session and releases all that it holds. Does nothing the second time. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (RingSlot ring : rings) {
            ring.close();
        }
        memory.close();
        try {
            loop.unwatch(this, channel.fd());
        } catch (HostFault impossible) {
            throw new IllegalStateException("a watched descriptor that epoll does not know", impossible);
        } finally {
            channel.close();
            onClosed.run();
        }
    }

    MemoryTable memory() {
        return memory;
    }

    boolean hasMemory() {
        return hasMemory;
    }

    /** The features that the driver accepted. */
    long features() {
        return features;
    }

    private void close(String reason) {
        LOG.info("{}: {}", device.name(), reason);
        close();
    }

    /** Serves the message that the channel holds. */
    private void serve() throws ProtocolViolation {
        boolean acknowledge = channel.needsReply() && (protocolFeatures & mask(VHOST_USER_PROTOCOL_F_REPLY_ACK)) != 0;
        boolean replied = false;
        long outcome = ACK;
        try {
            replied = handle(decode(), channel.fds());
        } catch (FramingViolation beyondRepair) {
            throw beyondRepair;
        } catch (ProtocolViolation violation) {
            if (!acknowledge) {
                throw new ProtocolViolation("request " + channel.id() + ": " + violation.getMessage(), violation);
            }
            LOG.warn("{}: request {} refused: {}", device.name(), channel.id(), violation.getMessage());
            outcome = NACK;
        } finally {
            // Before the reply: who reads it may rely on nothing of the message being open any more.
            channel.done();
        }
        if (acknowledge && !replied) {
            channel.reply(outcome);
        }
    }

    private Request decode() throws ProtocolViolation {
        return RequestDecoder.decode(
                channel.id(), channel.payload(), channel.fds().count());
    }

    /** Carries a request out, and tells whether it has been answered. */
    private boolean handle(Request request, ReceivedFds fds) throws ProtocolViolation {
        switch (request) {
            case Request.GetFeatures() -> channel.reply(offeredFeatures());
            case Request.SetFeatures(long accepted) -> setFeatures(accepted);
            case Request.GetProtocolFeatures() -> channel.reply(PROTOCOL_FEATURES);
            case Request.SetProtocolFeatures(long accepted) -> setProtocolFeatures(accepted);
            case Request.GetQueueNum() -> channel.reply(rings.length);
            case Request.SetOwner() -> LOG.debug("{}: owned", device.name());
            case Request.ResetOwner() -> resetOwner();
            case Request.SetMemTable table -> setMemTable(table, fds);
            case Request.SetVringNum(int index, int num) -> ring(index).setNum(num);
            case Request.SetVringBase(int index, int base) -> ring(index).setBase(base);
            case Request.SetVringAddr addr -> setVringAddr(addr);
            case Request.GetVringBase(int index) ->
                channel.reply(index, ring(index).stop());
            case Request.SetVringKick(int index, boolean hasFd) -> setKick(ring(index), eventFd(hasFd, fds));
            case Request.SetVringCall(int index, boolean hasFd) -> ring(index).setCall(eventFd(hasFd, fds));
            case Request.SetVringErr(int index, boolean hasFd) -> ring(index).setErr(eventFd(hasFd, fds));
            case Request.SetVringEnable(int index, boolean enabled) ->
                ring(index).setEnabled(enabled);
            case Request.Unknown(int id) ->
                throw new ProtocolViolation("unknown request " + Integer.toUnsignedString(id));
        }
        return repliesByItself(request);
    }

    private static boolean repliesByItself(Request request) {
        return switch (request) {
            case Request.GetFeatures(), Request.GetProtocolFeatures(), Request.GetQueueNum() -> true;
            case Request.GetVringBase ignored -> true;
            default -> false;
        };
    }

    private long offeredFeatures() {
        return device.features() | mask(VHOST_USER_F_PROTOCOL_FEATURES);
    }

    private void setFeatures(long accepted) throws ProtocolViolation {
        long notOffered = accepted & ~offeredFeatures();
        if (notOffered != 0) {
            throw new ProtocolViolation("features " + Long.toHexString(notOffered) + " were not offered");
        }
        if (accepted != features && anyRingStarted()) {
            throw new ProtocolViolation("features changed while a ring is started");
        }
        features = accepted;
        // vhost-user, "Ring states": without VHOST_USER_F_PROTOCOL_FEATURES rings are enabled from the beginning.
        if ((accepted & mask(VHOST_USER_F_PROTOCOL_FEATURES)) == 0) {
            for (RingSlot ring : rings) {
                ring.setEnabled(true);
            }
        }
    }

    private void setProtocolFeatures(long accepted) throws ProtocolViolation {
        long notOffered = accepted & ~PROTOCOL_FEATURES;
        if (notOffered != 0) {
            throw new ProtocolViolation("protocol features " + Long.toHexString(notOffered) + " were not offered");
        }
        protocolFeatures = accepted;
    }

    /** vhost-user: deprecated; a back-end may disable all rings. */
    private void resetOwner() throws ProtocolViolation {
        for (RingSlot ring : rings) {
            ring.setEnabled(false);
        }
    }

    private void setMemTable(Request.SetMemTable table, ReceivedFds fds) throws ProtocolViolation {
        MemoryTable next = MemoryTable.map(table.regions(), fds);
        for (RingSlot ring : rings) {
            ring.suspend();
        }
        memory.close();
        memory = next;
        hasMemory = true;
        for (RingSlot ring : rings) {
            ring.resume();
        }
    }

    private void setVringAddr(Request.SetVringAddr addr) throws ProtocolViolation {
        if (addr.flags() != 0) {
            throw new ProtocolViolation("ring flags " + addr.flags() + ", expected none: logging is not offered");
        }
        ring(addr.index()).setAddresses(new RingSlot.Addresses(addr.descriptor(), addr.used(), addr.available()));
    }

    private static void setKick(RingSlot ring, EventFd kick) throws ProtocolViolation {
        try {
            ring.setKick(kick);
        } catch (HostFault refused) {
            throw new ProtocolViolation("kick descriptor: " + refused.getMessage(), refused);
        }
    }

    private static EventFd eventFd(boolean sent, ReceivedFds fds) throws ProtocolViolation {
        if (!sent) {
            return null;
        }
        try {
            return EventFd.adopt(fds.take());
        } catch (IOException refused) {
            throw new ProtocolViolation(refused.getMessage(), refused);
        }
    }

    private RingSlot ring(int index) throws ProtocolViolation {
        if (index < 0 || index >= rings.length) {
            throw new ProtocolViolation(
                    "ring " + Integer.toUnsignedString(index) + " of a device that has " + rings.length);
        }
        return rings[index];
    }

    private boolean anyRingStarted() {
        for (RingSlot ring : rings) {
            if (ring.isStarted()) {
                return true;
            }
        }
        return false;
    }

    /** While a reply waits, room to send it is what the loop has to look for, not the next request. */
    private void watchForRoom() throws HostFault {
        if (channel.hasUnsent() != replyWaits) {
            replyWaits = channel.hasUnsent();
            loop.watchForWriting(this, channel.fd(), replyWaits);
        }
    }
}
