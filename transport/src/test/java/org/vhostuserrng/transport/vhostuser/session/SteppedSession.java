package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.FakeEventScheduler;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFdsFixture;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;

/** A session that a test runs message by message, without a socket, on a fake loop with a fake device. */
final class SteppedSession implements AutoCloseable {
    static final long MEMORY_BYTES = 1 << 20;
    static final long GUEST_ADDRESS = 0x4000_0000L;
    static final long USER_ADDRESS = 0x7f00_0000_0000L;
    static final int QUEUE_SIZE = 8;

    /** Records bugs. Stands in for the event handler of a session with a socket. */
    static final class SessionHandler extends EventHandler {
        final List<RuntimeException> bugs = new ArrayList<>();

        @Override
        protected void handle(long now, boolean ready) {
            throw new IllegalStateException("no socket");
        }

        @Override
        public void handleBug(RuntimeException bug) {
            bugs.add(bug);
        }
    }

    final FakeEventScheduler loop = new FakeEventScheduler();
    final FakeVirtioDevice device = new FakeVirtioDevice();
    final RecordingReplySender replies = new RecordingReplySender();
    final SessionHandler sessionHandler = new SessionHandler();
    final FrontendRequestHandler requests;

    SteppedSession() {
        this(VhostUserOptions.DEFAULT);
    }

    SteppedSession(VhostUserOptions options) {
        requests = new FrontendRequestHandler(
                GuestContext.create(loop, device, options, Runnable::run), sessionHandler, null);
    }

    /** Sends a message. */
    void send(int id, MemorySegment payload, OwnedFd... fds) throws ProtocolViolationException {
        send(id, false, payload, fds);
    }

    /** Sends a message that requests an acknowledgement. Returns the words of the last reply. */
    List<Long> sendWithNeedReply(int id, MemorySegment payload, OwnedFd... fds) throws ProtocolViolationException {
        send(id, true, payload, fds);
        return replies.last();
    }

    /** Sends a message. */
    void send(int id, boolean needReply, MemorySegment payload, OwnedFd... fds) throws ProtocolViolationException {
        ReceivedRequest received = requests.receive(id, needReply, payload, ReceivedFdsFixture.of(fds));
        received.files().prepare();
        requests.serve(received, replies);
    }

    /** Sends a message without payload. Returns the words of its reply. */
    List<Long> query(int id) throws ProtocolViolationException {
        send(id, empty());
        return replies.last();
    }

    static MemorySegment empty() {
        return MemorySegment.ofArray(new byte[0]);
    }

    static MemorySegment u64(long... words) {
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_LONG, words);
    }

    static MemorySegment u32(int... words) {
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_INT, words);
    }

    void setFeatures(long features) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_SET_FEATURES, u64(features));
    }

    void setProtocolFeatures(int... bits) throws ProtocolViolationException {
        long features = 0;
        for (int bit : bits) {
            features |= mask(bit);
        }
        send(VhostUserConstants.VHOST_USER_SET_PROTOCOL_FEATURES, u64(features));
    }

    /** Negotiates VIRTIO_F_VERSION_1 and protocol features, so that vrings are disabled initially. */
    void negotiate() throws ProtocolViolationException {
        setFeatures(1L << 32 | mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES));
    }

    /** Sets a memory table of one region. */
    void setMemoryTable() throws ProtocolViolationException, ErrnoException {
        send(
                VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                u64(1, GUEST_ADDRESS, MEMORY_BYTES, USER_ADDRESS, 0),
                SealedMemfd.create("memory", MEMORY_BYTES));
    }

    void setNum(int index, int num) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_SET_VRING_NUM, u32(index, num));
    }

    void setBase(int index, int base) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_SET_VRING_BASE, u32(index, base));
    }

    void setAddresses(int index, long offset) throws ProtocolViolationException {
        long descriptor = USER_ADDRESS + offset;
        send(
                VhostUserConstants.VHOST_USER_SET_VRING_ADDR,
                u64(index, descriptor, descriptor + 0x2000, descriptor + 0x1000, 0));
    }

    void setEnabled(int index, boolean enabled) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_SET_VRING_ENABLE, u32(index, enabled ? 1 : 0));
    }

    /** Sends a kick descriptor. */
    void setKick(int index) throws ProtocolViolationException, ErrnoException {
        send(
                VhostUserConstants.VHOST_USER_SET_VRING_KICK,
                u64(index),
                EventFd.create().fd());
    }

    /** Makes the back-end poll the vring, by a SET_VRING_KICK without a descriptor. */
    void setPolled(int index) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_SET_VRING_KICK, u64(index | VhostUserConstants.VRING_NOFD_MASK));
    }

    /** Configures vring 0 in QEMU's order, up to the kick descriptor. */
    void configureVring() throws ProtocolViolationException, ErrnoException {
        negotiate();
        setMemoryTable();
        setNum(0, QUEUE_SIZE);
        setBase(0, 0);
        setAddresses(0, 0);
        setKick(0);
    }

    /** Starts vring 0 and returns its virtqueue, which has not been drained. */
    FakeVirtqueue startVring() throws ProtocolViolationException, ErrnoException {
        configureVring();
        setEnabled(0, true);
        return device.started.getLast();
    }

    /** Stops a vring with GET_VRING_BASE. Returns its base. */
    long stopVring(int index) throws ProtocolViolationException {
        send(VhostUserConstants.VHOST_USER_GET_VRING_BASE, u32(index, 0));
        return replies.last().get(1);
    }

    Vring vring(int index) throws ProtocolViolationException {
        return requests.vring(index);
    }

    VringSnapshot snapshot(int index) {
        return requests.snapshot().vrings().get(index);
    }

    /** Simulates a kick of the guest. */
    void kick(int index) throws ProtocolViolationException {
        loop.fire(vring(index));
    }

    @Override
    public void close() {
        requests.close();
    }
}
