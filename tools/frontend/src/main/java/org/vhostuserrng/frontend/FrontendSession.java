package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The front-end's side of one vhost-user session. {@link #initialise}, {@link #start} and {@link #stop} send the same
 * messages as QEMU, in the same order, and use only features that the back-end offered. Each message can also be sent
 * separately.
 *
 * <p>Every method throws a {@link BackendProtocolException} if the back-end disconnects, does not reply in time, or
 * replies with an invalid message or a negative acknowledgement.
 */
public final class FrontendSession implements AutoCloseable {
    private final FrontendSocket socket;
    private final Duration timeout;
    private long offeredFeatures;
    private long protocolFeatures;

    /**
     * Creates a session on a connected socket and takes ownership of the socket.
     *
     * @param timeout time to wait for each reply
     */
    public FrontendSession(FrontendSocket socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /** Connects to the socket of a listening back-end. */
    public static FrontendSession connect(Path path, Duration timeout) throws IOException {
        return new FrontendSession(FrontendSocket.connect(path), timeout);
    }

    public FrontendSocket socket() {
        return socket;
    }

    /** The virtio feature bits in the last reply to GET_FEATURES. */
    public long offeredFeatures() {
        return offeredFeatures;
    }

    /** The protocol feature bits that the last SET_PROTOCOL_FEATURES enabled. */
    public long protocolFeatures() {
        return protocolFeatures;
    }

    // Message sequences.

    /** Sends the messages that QEMU sends when it creates the device: features, owner, call and err eventfds. */
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
     * Sends the messages that QEMU sends when the guest's driver starts.
     *
     * @param features the features that the driver accepted; VHOST_USER_F_PROTOCOL_FEATURES is added if offered
     * @param base the SET_VRING_BASE value: for a split ring, the index of the first available entry to process; for a
     *     packed ring, the next available and the next used descriptor, 16 bits each including the wrap counter
     */
    public void start(FrontendRequestq requestq, FrontendGuestMemory memory, long features, int base)
            throws IOException {
        setVringCall(FrontendRequestq.INDEX, requestq.call());
        setFeatures(features | (offeredFeatures & VirtioFeatureBit.PROTOCOL_FEATURES.mask()));
        setMemTable(memory);
        startRing(requestq, memory, base);
    }

    /** Sends only the vring messages of {@link #start}, to restart a ring in a running session. */
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
     * Sends the messages that QEMU sends when the guest's driver stops.
     *
     * @return the vring base for a later {@link #start}
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

    // Single messages.

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

    /** Passes the memory regions to the back-end. Waits for an acknowledgement if REPLY_ACK was negotiated. */
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

    /** Sends the ring's addresses as user addresses of the front-end. */
    public void setVringAddr(int index, DriverRingAddresses ring, FrontendGuestMemory memory) throws IOException {
        byte[] payload = FrontendPayloadEncoder.vringAddress(
                index,
                memory.userAddress(ring.descriptorArea()),
                memory.userAddress(ring.deviceArea()),
                memory.userAddress(ring.driverArea()));
        send(FrontendMessageType.SET_VRING_ADDR.id(), payload);
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

    /** Enables or disables a ring. Waits for an acknowledgement if REPLY_ACK was negotiated. */
    public void setVringEnable(int index, boolean enabled) throws IOException {
        sendAcknowledged(
                FrontendMessageType.SET_VRING_ENABLE.id(), FrontendPayloadEncoder.vringState(index, enabled ? 1 : 0));
    }

    /** Stops a ring and returns its vring base. */
    public int getVringBase(int index) throws IOException {
        return (int)
                sendAndReceive(FrontendMessageType.GET_VRING_BASE.id(), FrontendPayloadEncoder.vringState(index, 0))
                        .vringStateNumber();
    }

    /** Passes one end of the back-end channel to the back-end. */
    public void setBackendReqFd(BackendRequestReceiver requests) throws IOException {
        sendAcknowledged(
                FrontendMessageType.SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none(), requests.backendFd());
    }

    /** Sends an IOTLB update or invalidation. The back-end always replies; 0 means success. */
    public long sendIotlb(FrontendIotlbMessage message) throws IOException {
        return sendAndReceive(FrontendMessageType.IOTLB_MSG.id(), message.encode())
                .u64();
    }

    /** Like {@link #getVringBase}, but the back-end need not complete in-flight requests first. */
    public int getVringBaseSkipDrain(int index) throws IOException {
        return (int) sendAndReceive(
                        FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN.id(), FrontendPayloadEncoder.vringState(index, 0))
                .vringStateNumber();
    }

    /** Requests a new inflight buffer. The caller must close it. */
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

    /** Passes one end of a pipe for the device state. Returns the u64 of the reply; bits 0 to 7 are zero on success. */
    public long setDeviceStateFd(int direction, int phase, int fd) throws IOException {
        send(
                FrontendMessageType.SET_DEVICE_STATE_FD.id(),
                FrontendPayloadEncoder.vringState(direction, Integer.toUnsignedLong(phase)),
                fd);
        return socket.receive(FrontendMessageType.SET_DEVICE_STATE_FD.id(), timeout)
                .u64();
    }

    /** Returns the result of the last device state transfer; 0 means success. */
    public long checkDeviceState() throws IOException {
        return sendAndReceive(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none())
                .u64();
    }

    // Generic messages.

    /** Sends a message whose type has a mandatory reply, and receives the reply. */
    public BackendReply sendAndReceive(int request, byte[] payload) throws IOException {
        socket.send(request, 0, payload);
        return socket.receive(request, timeout);
    }

    /** Sends a message without waiting for a reply. */
    public void send(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, 0, payload, fds);
    }

    /** Sends a message with need_reply, even without REPLY_ACK, and returns the acknowledgement; 0 means success. */
    public long sendWithNeedReply(int request, byte[] payload, int... fds) throws IOException {
        socket.send(request, FrontendVhostUserConstants.FLAG_NEED_REPLY, payload, fds);
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
                    "the back-end answered request " + request + " with error "
                            + Long.toUnsignedString(acknowledgement));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
