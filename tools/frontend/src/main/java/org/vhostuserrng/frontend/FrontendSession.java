package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * One vhost-user session as a front-end leads it: {@link #initialise}, {@link #start} and {@link #stop} send what QEMU
 * sends in QEMU's order, every message is there by itself too, and only what the back-end offered is used.
 *
 * <p>Every method throws a {@link BackendProtocolException} when the back-end closes, does not answer in time, answers wrongly
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
    public void initialise(FrontendRequestq requestq, long wantedProtocolFeatures) throws IOException {
        getFeatures();
        if ((offeredFeatures & VirtioFeatureBit.PROTOCOL_FEATURES.mask()) != 0) {
            setProtocolFeatures(getProtocolFeatures() & wantedProtocolFeatures);
            if (hasProtocolFeature(ProtocolFeatureBit.MQ.mask())) {
                getQueueNum();
            }
        }
        setOwner();
        getFeatures();
        setVringCall(FrontendRequestq.INDEX, requestq.call());
        setVringErr(FrontendRequestq.INDEX, requestq.err());
    }

    /**
     * What QEMU sends when the guest's driver comes up.
     *
     * @param features the driver's choice; bit 30 is added when the back-end offered it
     * @param base where in the ring the device begins: split, the index of the first entry of the available ring to be
     *     processed; packed, the next available and the next used descriptor, 16 bits each with the wrap counter
     */
    public void start(FrontendRequestq requestq, FrontendGuestMemory memory, long features, int base)
            throws IOException {
        setVringCall(FrontendRequestq.INDEX, requestq.call());
        setFeatures(features | (offeredFeatures & VirtioFeatureBit.PROTOCOL_FEATURES.mask()));
        setMemTable(memory);
        startRing(requestq, memory, base);
    }

    /** The ring's part of {@link #start}, for a ring that was stopped alone. */
    public void startRing(FrontendRequestq requestq, FrontendGuestMemory memory, int base) throws IOException {
        setVringNum(FrontendRequestq.INDEX, requestq.addresses().queueSize());
        setVringBase(FrontendRequestq.INDEX, base);
        setVringAddr(FrontendRequestq.INDEX, requestq.addresses(), memory);
        setVringKick(FrontendRequestq.INDEX, requestq.kick());
        if (vringsNeedEnable()) {
            setVringEnable(FrontendRequestq.INDEX, true);
        }
        setVringCall(FrontendRequestq.INDEX, requestq.call());
    }

    /**
     * What QEMU sends when the guest's driver goes away.
     *
     * @return the base from which a later start goes on
     */
    public int stop() throws IOException {
        if (vringsNeedEnable()) {
            setVringEnable(FrontendRequestq.INDEX, false);
        }
        return getVringBase(FrontendRequestq.INDEX);
    }

    private boolean vringsNeedEnable() {
        return (offeredFeatures & VirtioFeatureBit.PROTOCOL_FEATURES.mask()) != 0;
    }

    private boolean hasProtocolFeature(long feature) {
        return (protocolFeatures & feature) != 0;
    }

    // The messages.

    public long getFeatures() throws IOException {
        offeredFeatures = sendAndReceive(FrontendMessageType.GET_FEATURES.id(), FrontendPayloadEncoder.none())
                .u64();
        return offeredFeatures;
    }

    public void setFeatures(long features) throws IOException {
        send(FrontendMessageType.SET_FEATURES.id(), FrontendPayloadEncoder.u64(features));
    }

    public long getProtocolFeatures() throws IOException {
        return sendAndReceive(FrontendMessageType.GET_PROTOCOL_FEATURES.id(), FrontendPayloadEncoder.none())
                .u64();
    }

    public void setProtocolFeatures(long features) throws IOException {
        send(FrontendMessageType.SET_PROTOCOL_FEATURES.id(), FrontendPayloadEncoder.u64(features));
        protocolFeatures = features;
    }

    public long getQueueNum() throws IOException {
        return sendAndReceive(FrontendMessageType.GET_QUEUE_NUM.id(), FrontendPayloadEncoder.none())
                .u64();
    }

    public void setOwner() throws IOException {
        send(FrontendMessageType.SET_OWNER.id(), FrontendPayloadEncoder.none());
    }

    /** Acknowledged when REPLY_ACK was negotiated. */
    public void setMemTable(FrontendGuestMemory memory) throws IOException {
        sendAcknowledged(
                FrontendMessageType.SET_MEM_TABLE.id(),
                FrontendPayloadEncoder.memoryRegions(memory.regions()),
                memory.fds());
    }

    public void setVringNum(int index, int queueSize) throws IOException {
        send(FrontendMessageType.SET_VRING_NUM.id(), FrontendPayloadEncoder.vringState(index, queueSize));
    }

    public void setVringBase(int index, int base) throws IOException {
        send(
                FrontendMessageType.SET_VRING_BASE.id(),
                FrontendPayloadEncoder.vringState(index, Integer.toUnsignedLong(base)));
    }

    /** Sends the layout as addresses of the front-end's user space. */
    public void setVringAddr(int index, DriverRingAddresses layout, FrontendGuestMemory memory) throws IOException {
        byte[] addresses = FrontendPayloadEncoder.vringAddress(
                index,
                memory.userAddress(layout.descriptorArea()),
                memory.userAddress(layout.deviceArea()),
                memory.userAddress(layout.driverArea()));
        send(FrontendMessageType.SET_VRING_ADDR.id(), addresses);
    }

    public void setVringKick(int index, FrontendEventFd kick) throws IOException {
        send(FrontendMessageType.SET_VRING_KICK.id(), FrontendPayloadEncoder.u64(index), kick.fd());
    }

    public void setVringCall(int index, FrontendEventFd call) throws IOException {
        send(FrontendMessageType.SET_VRING_CALL.id(), FrontendPayloadEncoder.u64(index), call.fd());
    }

    public void setVringErr(int index, FrontendEventFd err) throws IOException {
        send(FrontendMessageType.SET_VRING_ERR.id(), FrontendPayloadEncoder.u64(index), err.fd());
    }

    /** Acknowledged when REPLY_ACK was negotiated. */
    public void setVringEnable(int index, boolean enabled) throws IOException {
        sendAcknowledged(
                FrontendMessageType.SET_VRING_ENABLE.id(), FrontendPayloadEncoder.vringState(index, enabled ? 1 : 0));
    }

    /** Stops the ring and returns where it stood. */
    public int getVringBase(int index) throws IOException {
        return (int) sendAndReceive(FrontendMessageType.GET_VRING_BASE.id(), FrontendPayloadEncoder.vringState(index, 0))
                .vringStateNumber();
    }

    /** Hands over the channel for the back-end's own requests. */
    public void setBackendReqFd(BackendRequestReceiver requests) throws IOException {
        sendAcknowledged(FrontendMessageType.SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none(), requests.backendFd());
    }

    /** Tells a translation, or takes some back: 0 for success. Always replied to. */
    public long sendIotlb(FrontendIotlbMessage message) throws IOException {
        return sendAndReceive(FrontendMessageType.IOTLB_MSG.id(), message.encode()).u64();
    }

    /** As {@link #getVringBase}, but requests under way may stay so. */
    public int getVringBaseSkipDrain(int index) throws IOException {
        return (int)
                sendAndReceive(FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN.id(), FrontendPayloadEncoder.vringState(index, 0))
                        .vringStateNumber();
    }

    /** A new buffer for requests under way; the caller's to close. */
    public FrontendInflightBuffer getInflightFd(int queues, int queueSize) throws IOException {
        socket.send(
                FrontendMessageType.GET_INFLIGHT_FD.id(),
                0,
                FrontendInflightBuffer.encodeDescription(0, 0, queues, queueSize));
        return FrontendInflightBuffer.of(
                socket.receiveWithDescriptors(FrontendMessageType.GET_INFLIGHT_FD.id(), timeout));
    }

    public void setInflightFd(FrontendInflightBuffer buffer) throws IOException {
        sendAcknowledged(
                FrontendMessageType.SET_INFLIGHT_FD.id(),
                buffer.encodeDescription(),
                buffer.file().fd());
    }

    /** Offers one end of a pipe for the device's state, and returns the reply: bits 0 to 7 are zero on success. */
    public long setDeviceStateFd(int direction, int phase, int fd) throws IOException {
        send(
                FrontendMessageType.SET_DEVICE_STATE_FD.id(),
                FrontendPayloadEncoder.vringState(direction, Integer.toUnsignedLong(phase)),
                fd);
        return socket.receive(FrontendMessageType.SET_DEVICE_STATE_FD.id(), timeout)
                .u64();
    }

    /** How the last transfer of the device's state ended; zero is success. */
    public long checkDeviceState() throws IOException {
        return sendAndReceive(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none())
                .u64();
    }

    // The forms a message takes.

    /** A message whose type has a reply of its own. */
    public BackendReply sendAndReceive(int request, byte[] payload) throws IOException {
        socket.send(request, 0, payload);
        return socket.receive(request, timeout);
    }

    /** A message without an answer. */
    public void send(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, 0, payload, fds);
    }

    /** A message with need_reply, whatever was negotiated: the acknowledgement, 0 for success. */
    public long sendWithNeedReply(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, FrontendVhostUserSpec.FLAG_NEED_REPLY, payload, fds);
        return socket.receive(request, timeout).u64();
    }

    private void sendAcknowledged(int request, byte[] payload, int... fds) throws IOException {
        if (!hasProtocolFeature(ProtocolFeatureBit.REPLY_ACK.mask())) {
            send(request, payload, fds);
            return;
        }
        long acknowledgement = sendWithNeedReply(request, payload, fds);
        if (acknowledgement != 0) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.NACK,
                    "request " + request + " was refused with " + Long.toUnsignedString(acknowledgement));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
