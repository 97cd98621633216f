package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * One vhost-user session as a front-end leads it: {@link #initialise}, {@link #start} and {@link #stop} send what QEMU
 * sends in QEMU's order, every message is there by itself too, and only what the back-end offered is used.
 *
 * <p>Every method throws a {@link BackendException} when the back-end closes, does not answer in time, answers wrongly
 * or refuses.
 */
public final class FrontendSession implements AutoCloseable {
    private final FrontendSocket socket;
    private final Duration timeout;
    private long offeredFeatures;
    private long protocolFeatures;

    /**
     * A session over a connected socket, which it owns from now on.
     *
     * @param timeout for every reply
     */
    public FrontendSession(FrontendSocket socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /** Connects to the socket of a back-end that listens. */
    public static FrontendSession connect(Path path, Duration timeout) throws IOException {
        return new FrontendSession(FrontendSocket.connect(path), timeout);
    }

    public FrontendSocket socket() {
        return socket;
    }

    /** The virtio feature bits of the last GET_FEATURES. */
    public long offeredFeatures() {
        return offeredFeatures;
    }

    /** The protocol feature bits of the last SET_PROTOCOL_FEATURES. */
    public long protocolFeatures() {
        return protocolFeatures;
    }

    // The sequences.

    /** What QEMU sends when the device is created: features, owner, the call and the err eventfd. */
    public void initialise(Requestq requestq, long wantedProtocolFeatures) throws IOException {
        getFeatures();
        if ((offeredFeatures & VhostUser.VHOST_USER_F_PROTOCOL_FEATURES) != 0) {
            setProtocolFeatures(getProtocolFeatures() & wantedProtocolFeatures);
            if (hasProtocolFeature(VhostUser.PROTOCOL_F_MQ)) {
                getQueueNum();
            }
        }
        setOwner();
        getFeatures();
        setVringCall(Requestq.INDEX, requestq.call());
        setVringErr(Requestq.INDEX, requestq.err());
    }

    /**
     * What QEMU sends when the guest's driver comes up.
     *
     * @param features the driver's choice; bit 30 is added when the back-end offered it
     * @param base where in the ring the device begins: split, the index of the first entry of the available ring to be
     *     processed; packed, the next available and the next used descriptor, 16 bits each with the wrap counter
     */
    public void start(Requestq requestq, GuestMemory memory, long features, int base) throws IOException {
        setVringCall(Requestq.INDEX, requestq.call());
        setFeatures(features | (offeredFeatures & VhostUser.VHOST_USER_F_PROTOCOL_FEATURES));
        setMemTable(memory);
        startRing(requestq, memory, base);
    }

    /** The ring's part of {@link #start}, for a ring that was stopped alone. */
    public void startRing(Requestq requestq, GuestMemory memory, int base) throws IOException {
        setVringNum(Requestq.INDEX, requestq.layout().queueSize());
        setVringBase(Requestq.INDEX, base);
        setVringAddr(Requestq.INDEX, requestq.layout(), memory);
        setVringKick(Requestq.INDEX, requestq.kick());
        if (ringsHaveAnEnable()) {
            setVringEnable(Requestq.INDEX, true);
        }
        setVringCall(Requestq.INDEX, requestq.call());
    }

    /**
     * What QEMU sends when the guest's driver goes away.
     *
     * @return the base from which a later start goes on
     */
    public int stop() throws IOException {
        if (ringsHaveAnEnable()) {
            setVringEnable(Requestq.INDEX, false);
        }
        return getVringBase(Requestq.INDEX);
    }

    private boolean ringsHaveAnEnable() {
        return (offeredFeatures & VhostUser.VHOST_USER_F_PROTOCOL_FEATURES) != 0;
    }

    private boolean hasProtocolFeature(long feature) {
        return (protocolFeatures & feature) != 0;
    }

    // The messages.

    public long getFeatures() throws IOException {
        offeredFeatures = ask(VhostUser.GET_FEATURES, Payload.none()).u64();
        return offeredFeatures;
    }

    public void setFeatures(long features) throws IOException {
        tell(VhostUser.SET_FEATURES, Payload.u64(features));
    }

    public long getProtocolFeatures() throws IOException {
        return ask(VhostUser.GET_PROTOCOL_FEATURES, Payload.none()).u64();
    }

    public void setProtocolFeatures(long features) throws IOException {
        tell(VhostUser.SET_PROTOCOL_FEATURES, Payload.u64(features));
        protocolFeatures = features;
    }

    public long getQueueNum() throws IOException {
        return ask(VhostUser.GET_QUEUE_NUM, Payload.none()).u64();
    }

    public void setOwner() throws IOException {
        tell(VhostUser.SET_OWNER, Payload.none());
    }

    /** Acknowledged when REPLY_ACK was negotiated. */
    public void setMemTable(GuestMemory memory) throws IOException {
        tellAcknowledged(VhostUser.SET_MEM_TABLE, Payload.memoryRegions(memory.regions()), memory.fds());
    }

    public void setVringNum(int index, int queueSize) throws IOException {
        tell(VhostUser.SET_VRING_NUM, Payload.vringState(index, queueSize));
    }

    public void setVringBase(int index, int base) throws IOException {
        tell(VhostUser.SET_VRING_BASE, Payload.vringState(index, Integer.toUnsignedLong(base)));
    }

    /** Sends the layout as addresses of the front-end's user space. */
    public void setVringAddr(int index, RingLayout layout, GuestMemory memory) throws IOException {
        byte[] addresses = Payload.vringAddress(
                index,
                memory.userAddress(layout.descriptorArea()),
                memory.userAddress(layout.deviceArea()),
                memory.userAddress(layout.driverArea()));
        tell(VhostUser.SET_VRING_ADDR, addresses);
    }

    public void setVringKick(int index, EventFd kick) throws IOException {
        tell(VhostUser.SET_VRING_KICK, Payload.u64(index), kick.fd());
    }

    public void setVringCall(int index, EventFd call) throws IOException {
        tell(VhostUser.SET_VRING_CALL, Payload.u64(index), call.fd());
    }

    public void setVringErr(int index, EventFd err) throws IOException {
        tell(VhostUser.SET_VRING_ERR, Payload.u64(index), err.fd());
    }

    /** Acknowledged when REPLY_ACK was negotiated. */
    public void setVringEnable(int index, boolean enabled) throws IOException {
        tellAcknowledged(VhostUser.SET_VRING_ENABLE, Payload.vringState(index, enabled ? 1 : 0));
    }

    /** Stops the ring and returns where it stood. */
    public int getVringBase(int index) throws IOException {
        return (int) ask(VhostUser.GET_VRING_BASE, Payload.vringState(index, 0)).vringStateNumber();
    }

    /** Hands over the channel for the back-end's own requests. */
    public void setBackendReqFd(BackendRequests requests) throws IOException {
        tellAcknowledged(VhostUser.SET_BACKEND_REQ_FD, Payload.none(), requests.fd());
    }

    /** Tells a translation, or takes some back: 0 for success. Always replied to. */
    public long iotlb(IotlbMessage message) throws IOException {
        return ask(VhostUser.IOTLB_MSG, message.payload()).u64();
    }

    /** As {@link #getVringBase}, but requests under way may stay so. */
    public int getVringBaseSkipDrain(int index) throws IOException {
        return (int) ask(VhostUser.GET_VRING_BASE_SKIP_DRAIN, Payload.vringState(index, 0))
                .vringStateNumber();
    }

    /** A new buffer for requests under way; the caller's to close. */
    public InflightBuffer getInflightFd(int queues, int queueSize) throws IOException {
        socket.send(VhostUser.GET_INFLIGHT_FD, 0, InflightBuffer.description(0, 0, queues, queueSize));
        return InflightBuffer.of(socket.receiveWithDescriptors(VhostUser.GET_INFLIGHT_FD, timeout));
    }

    public void setInflightFd(InflightBuffer buffer) throws IOException {
        tellAcknowledged(
                VhostUser.SET_INFLIGHT_FD, buffer.description(), buffer.file().fd());
    }

    /** Offers one end of a pipe for the device's state, and returns the reply: bits 0 to 7 are zero on success. */
    public long setDeviceStateFd(int direction, int phase, int fd) throws IOException {
        tell(VhostUser.SET_DEVICE_STATE_FD, Payload.vringState(direction, Integer.toUnsignedLong(phase)), fd);
        return socket.receive(VhostUser.SET_DEVICE_STATE_FD, timeout).u64();
    }

    /** How the last transfer of the device's state ended; zero is success. */
    public long checkDeviceState() throws IOException {
        return ask(VhostUser.CHECK_DEVICE_STATE, Payload.none()).u64();
    }

    // The forms a message takes.

    /** A message whose type has a reply of its own. */
    public Reply ask(int request, byte[] payload) throws IOException {
        socket.send(request, 0, payload);
        return socket.receive(request, timeout);
    }

    /** A message without an answer. */
    public void tell(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, 0, payload, fds);
    }

    /** A message with need_reply, whatever was negotiated: the acknowledgement, 0 for success. */
    public long acknowledgementOf(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, VhostUser.FLAG_NEED_REPLY, payload, fds);
        return socket.receive(request, timeout).u64();
    }

    private void tellAcknowledged(int request, byte[] payload, int... fds) throws IOException {
        if (!hasProtocolFeature(VhostUser.PROTOCOL_F_REPLY_ACK)) {
            tell(request, payload, fds);
            return;
        }
        long acknowledgement = acknowledgementOf(request, payload, fds);
        if (acknowledgement != 0) {
            throw new BackendException(
                    BackendException.Reason.REFUSED,
                    "request " + request + " was refused with " + Long.toUnsignedString(acknowledgement));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
