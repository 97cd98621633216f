package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_F_LOG_ALL;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_BACKEND_REQ;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_DEVICE_STATE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_GPA_ADDRESSES;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_LOG_SHMFD;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_MQ;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_REPLY_ACK;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_RESET_DEVICE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_STATUS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_VRING_F_LOG;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.InaccessibleRegion;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.protocol.FramingViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequestDecoder;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFds;
import org.vhostuserrng.transport.vhostuser.protocol.ReplyRule;
import org.vhostuserrng.transport.vhostuser.protocol.ReplySender;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.vhostuser.session.MemoryTable.MappedRegions;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * Executes a front-end's requests: changes the {@link SessionState} and the vrings, and replies. Does not use a socket,
 * so that a unit test can run a session message by message. Confined to the loop's thread.
 */
final class FrontendRequestHandler implements AutoCloseable {
    private static final long ACK = 0;
    private static final long NACK = 1;

    /** vhost-user, SET_LOG_BASE: the value of the reply, which contains no other information. */
    private static final long LOG_ACCEPTED = 0;
    /** Maximum size of a dirty log, which covers 2^53 bytes of guest-physical addresses. */
    private static final long MAX_LOG_BYTES = 1L << 38;

    private final VirtioDevice device;
    private final VhostUserOptions options;
    private final RateLimitedGuestLog log;
    private final SessionState session;
    private final VringTable vrings;
    private final DeviceStateTransfer transfer;

    /**
     * Creates the handler of a new session.
     *
     * @param sessionHandler the session's event handler, whose pending messages are dispatched before kicks; handles
     *     bugs of the vrings, and is rescheduled when a reply to a pending CHECK_DEVICE_STATE can be sent
     * @param journal the session's journal; null if the session does not outlive this process
     */
    FrontendRequestHandler(GuestContext guest, EventHandler sessionHandler, SessionJournal journal) {
        this.device = guest.device();
        this.options = guest.options();
        this.log = guest.log();
        this.session = new SessionState(device.queueCount(), log, journal);
        this.vrings = new VringTable(guest, session, sessionHandler);
        this.transfer = new DeviceStateTransfer(guest, sessionHandler, vrings);
    }

    /**
     * Decodes a message. Takes ownership of its descriptors.
     *
     * @param id the number of the request
     * @param needReply whether the front-end sets need_reply
     */
    ReceivedRequest receive(int id, boolean needReply, MemorySegment payload, ReceivedFds fds) {
        try {
            FrontendRequest request = FrontendRequestDecoder.decode(id, payload, fds.count());
            RequestFiles files = new RequestFiles(request, fds.takeAll(), session.memory(), options);
            return new ReceivedRequest(id, needReply, request, null, files);
        } catch (ProtocolViolationException violation) {
            return refuse(id, needReply, fds, violation);
        }
    }

    /** Returns a message that {@link #serve} refuses. Closes its descriptors. */
    ReceivedRequest refuse(int id, boolean needReply, ReceivedFds fds, ProtocolViolationException violation) {
        fds.close();
        RequestFiles none = new RequestFiles(null, List.of(), session.memory(), options);
        return new ReceivedRequest(id, needReply, null, violation, none);
    }

    /**
     * Executes a request whose files are prepared, and sends its reply or acknowledgement. Closes unused files before
     * the reply, because a front-end may rely on this.
     *
     * <p>QEMU 7.2 sets features that were not offered (packed=on) without need_reply, and may crash if the session ends
     * at that point of its start. Therefore the session continues, but no vring starts, and the following requests are
     * acknowledged with a failure, until the front-end sets other features.
     *
     * @throws ProtocolViolationException if the session must end
     */
    void serve(ReceivedRequest received, ReplySender replies) throws ProtocolViolationException {
        int id = received.id();
        if (transfer.isCheckPending()) {
            received.files().close();
            throw new ProtocolViolationException("request " + id + " before the reply to CHECK_DEVICE_STATE");
        }
        ReplyRule rule = ReplyRule.of(id);
        boolean acknowledge = rule == ReplyRule.ACK_ALWAYS || (received.needReply() && session.acknowledges());
        boolean replied = false;
        long outcome = ACK;
        try (RequestFiles files = received.files()) {
            if (received.violation() != null) {
                throw received.violation();
            }
            handle(id, received.request(), files, replies);
            replied = rule.hasReply();
            outcome = session.areFeaturesRefused() ? NACK : ACK;
        } catch (FramingViolationException unrecoverable) {
            throw unrecoverable;
        } catch (UnofferedFeaturesViolation violation) {
            log.warn("request " + id + " refused: " + violation.getMessage());
            session.setFeaturesRefused(!acknowledge);
            outcome = NACK;
        } catch (ProtocolViolationException violation) {
            if (!acknowledge || rule == ReplyRule.REPLY) {
                throw new ProtocolViolationException("request " + id + ": " + violation.getMessage(), violation);
            }
            log.warn("request " + id + " refused: " + violation.getMessage());
            outcome = NACK;
        }
        if (log.isDebugEnabled()) {
            log.debug("after request " + id + ": " + snapshot());
        }
        if (acknowledge && !replied) {
            replies.reply(id, outcome);
        }
    }

    /** Drains the started vrings again. */
    void dispatchVrings() {
        vrings.dispatch();
    }

    /**
     * Makes the vrings wait until {@link #resume}, so that no kick overtakes a message that has not been executed yet.
     */
    void pause() {
        session.setPaused(true);
    }

    /** Returns whether the vrings wait. */
    boolean isPaused() {
        return session.isPaused();
    }

    /** Makes the vrings handle the events that have arrived since {@link #pause}. Does nothing if they do not wait. */
    void resume() {
        if (session.isPaused()) {
            session.setPaused(false);
            vrings.resumeSession();
        }
    }

    private void handle(int id, FrontendRequest request, RequestFiles files, ReplySender replies)
            throws ProtocolViolationException {
        switch (request) {
            case FrontendRequest.GetFeatures() -> replies.reply(id, offeredFeatures());
            case FrontendRequest.SetFeatures(long accepted) -> setFeatures(accepted);
            case FrontendRequest.GetProtocolFeatures() -> replies.reply(id, offeredProtocolFeatures());
            case FrontendRequest.SetProtocolFeatures(long accepted) -> setProtocolFeatures(accepted);
            case FrontendRequest.GetQueueNum() -> replies.reply(id, vrings.count());
            case FrontendRequest.SetOwner() -> {
                // The connected front-end is the owner, because there is only one session at a time.
            }
            case FrontendRequest.ResetOwner() -> vrings.setEnabled(false);
            case FrontendRequest.GetInflightFd(FrontendRequest.Inflight wanted) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                InflightBuffer.Offer offer = session.inflight().create(wanted, session.features());
                replies.reply(id, offer.description(), offer.file());
            }
            case FrontendRequest.SetInflightFd(FrontendRequest.Inflight given) -> setInflightFd(given, files);
            case FrontendRequest.ResetDevice() -> {
                resetDevice();
                session.inflight().clear(session.features());
            }
            case FrontendRequest.SetStatus(long status) -> setStatus(status);
            case FrontendRequest.GetStatus() -> replies.reply(id, session.status());
            case FrontendRequest.SetMemTable _ -> setMemory(MemoryTable.empty().plus(takeRegions(files)));
            case FrontendRequest.GetMaxMemSlots() -> replies.reply(id, options.maxRegions());
            case FrontendRequest.AddMemReg _ -> setMemory(session.memory().plus(takeRegions(files)));
            case FrontendRequest.RemMemReg(FrontendRequest.MemoryRegion region) ->
                setMemory(session.memory().minus(region));
            case FrontendRequest.SetLogBase(long size, long offset) -> {
                setLogBase(size, offset, files);
                replies.reply(id, LOG_ACCEPTED);
            }
            case FrontendRequest.SetLogFd() -> session.dirtyLog().setListener(takeNotificationFd(files));
            case FrontendRequest.SetVringNum(int index, int num) ->
                vrings.get(index).setNum(num);
            case FrontendRequest.SetVringBase(int index, int base) ->
                vrings.get(index).setBase(base);
            case FrontendRequest.SetVringAddr addr -> setVringAddr(addr);
            case FrontendRequest.GetVringBase(int index) -> {
                int base = vrings.get(index).stop();
                clearIotlbIfStopped();
                replies.reply(id, index, base);
            }
            case FrontendRequest.SetVringKick(int index, boolean _) ->
                setKick(vrings.get(index), takeNotificationFd(files));
            case FrontendRequest.SetVringCall(int index, boolean _) ->
                vrings.get(index).setCall(takeNotificationFd(files));
            case FrontendRequest.SetVringErr(int index, boolean _) ->
                vrings.get(index).setErr(takeNotificationFd(files));
            case FrontendRequest.SetVringEnable(int index, boolean enabled) ->
                vrings.get(index).setEnabled(enabled);
            case FrontendRequest.SetBackendReqFd() -> session.iommu().setChannel(takeChannel(files), vrings);
            case FrontendRequest.IotlbMsg message -> applyIotlbMsg(message);
            case FrontendRequest.SetDeviceStateFd(int direction, int phase) -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                replies.reply(id, transfer.begin(direction, phase, files));
            }
            case FrontendRequest.CheckDeviceState() -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                if (transfer.check()) {
                    replies.reply(id, transfer.takeOutcome());
                }
            }
            case FrontendRequest.GetVringBaseSkipDrain(int index) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                require(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT);
                require(VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN);
                replies.reply(id, index, vrings.get(index).stop());
            }
            case FrontendRequest.Unknown(int unknown) ->
                throw new ProtocolViolationException("unknown request " + Integer.toUnsignedString(unknown));
        }
    }

    /** vhost-user, CHECK_DEVICE_STATE: replies to a pending request when the transfer has ended. */
    void answerPendingCheck(ReplySender replies) throws FramingViolationException {
        if (transfer.isCheckAnswerable()) {
            replies.reply(VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE, transfer.takeOutcome());
        }
    }

    /** Returns the vring with an index. */
    Vring vring(int index) throws ProtocolViolationException {
        return vrings.get(index);
    }

    /** The state of the session as plain data. */
    SessionSnapshot snapshot() {
        return new SessionSnapshot(
                device.name(),
                session.features(),
                session.protocolFeatures(),
                session.areProtocolFeaturesSet(),
                session.areFeaturesRefused(),
                session.status(),
                session.memory().descriptions(),
                session.memory().fds(),
                vrings.snapshots(),
                new SessionSnapshot.DirtyLogSnapshot(
                        session.dirtyLog().size(),
                        session.dirtyLog().offset(),
                        session.dirtyLog().fileId(),
                        session.dirtyLog().listenerId()),
                session.inflight().description(),
                session.inflight().fd(),
                session.iommu().channelFd(),
                transfer.isCheckPending(),
                session.iommu().entries());
    }

    /**
     * Continues the session of a previous process. Accepted features that this process does not offer remain in effect
     * until the front-end sets others, because the driver already uses them.
     *
     * @throws ProtocolViolationException if this process cannot continue the session
     * @throws IOException if a descriptor is missing or unusable
     */
    void restore(SessionSnapshot snapshot, RestoredFiles files) throws ProtocolViolationException, IOException {
        files.requireUsable();
        session.restore(snapshot, files, options, vrings);
        logInaccessible(session.memory(), List.of());
        transfer.restore(snapshot.checkPending());
        vrings.restore(snapshot.vrings(), files);
    }

    /** Stops all vrings and unmaps all memory, but leaves the session in the service manager's store. */
    void abandon() {
        vrings.close();
        session.abandon();
    }

    /** Stops all vrings, unmaps all memory and closes all descriptors. */
    @Override
    public void close() {
        vrings.close();
        session.close();
        transfer.close();
    }

    // --- features --------------------------------------------------------------------------------------------------

    private long offeredFeatures() {
        return device.features()
                | mask(VHOST_USER_F_PROTOCOL_FEATURES)
                | mask(VHOST_F_LOG_ALL)
                | (options.accessPlatform() ? VirtioConstants.VIRTIO_F_ACCESS_PLATFORM : 0);
    }

    private long offeredProtocolFeatures() {
        return mask(VHOST_USER_PROTOCOL_F_MQ)
                | mask(VHOST_USER_PROTOCOL_F_LOG_SHMFD)
                | mask(VHOST_USER_PROTOCOL_F_REPLY_ACK)
                | mask(VHOST_USER_PROTOCOL_F_BACKEND_REQ)
                | mask(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD)
                | mask(VHOST_USER_PROTOCOL_F_RESET_DEVICE)
                | mask(VHOST_USER_PROTOCOL_F_STATUS)
                | mask(VHOST_USER_PROTOCOL_F_DEVICE_STATE)
                | mask(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT)
                | mask(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES)
                | mask(VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN)
                | (options.memSlots() ? mask(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) : 0);
    }

    private void require(int protocolFeature) throws ProtocolViolationException {
        if (!session.hasProtocolFeature(protocolFeature)) {
            throw new ProtocolViolationException("requires " + FeatureNames.protocolFeature(protocolFeature)
                    + ", which the front-end has not accepted");
        }
    }

    private void setFeatures(long accepted) throws ProtocolViolationException {
        long notOffered = accepted & ~offeredFeatures();
        if (notOffered != 0) {
            throw new UnofferedFeaturesViolation("features " + Long.toHexString(notOffered) + " were not offered: "
                    + FeatureNames.describeFeatures(notOffered));
        }
        // VHOST_F_LOG_ALL may change while vrings run. All features that the driver negotiated must not.
        long transportBits = mask(VHOST_F_LOG_ALL) | mask(VHOST_USER_F_PROTOCOL_FEATURES);
        boolean changed = ((accepted ^ session.features()) & ~transportBits) != 0;
        if (changed && !vrings.areStopped()) {
            throw new ProtocolViolationException("features changed while a vring is started");
        }
        session.setFeatures(accepted);
        session.setFeaturesRefused(false);
        clearIotlbIfStopped();
        vrings.setBufferLogging(session.hasFeature(mask(VHOST_F_LOG_ALL)));
        // vhost-user, "Ring states": without VHOST_USER_F_PROTOCOL_FEATURES, vrings are enabled initially.
        if (!session.hasFeature(mask(VHOST_USER_F_PROTOCOL_FEATURES))) {
            vrings.setEnabled(true);
        }
    }

    private void setProtocolFeatures(long accepted) throws ProtocolViolationException {
        long notOffered = accepted & ~offeredProtocolFeatures();
        if (notOffered != 0) {
            throw new ProtocolViolationException("protocol features " + Long.toHexString(notOffered)
                    + " were not offered: " + FeatureNames.describeProtocolFeatures(notOffered));
        }
        session.setProtocolFeatures(accepted);
    }

    // --- device ----------------------------------------------------------------------------------------------------

    private void setStatus(long status) throws ProtocolViolationException {
        // VIRTIO 1.3 §2.2.2: the device must fail to set FEATURES_OK if it does not accept the features.
        session.setStatus(session.areFeaturesRefused() ? status & ~VirtioConstants.STATUS_FEATURES_OK : status);
        // VIRTIO 1.3 §2.1: writing 0 resets the device.
        if (status == VirtioConstants.STATUS_RESET) {
            resetDevice();
        }
    }

    /**
     * vhost-user, RESET_DEVICE: disables all vrings and resets the device. Rate limits and the entropy source do not
     * change.
     */
    private void resetDevice() throws ProtocolViolationException {
        session.setStatus(VirtioConstants.STATUS_RESET);
        vrings.setEnabled(false);
        vrings.reset();
        session.iommu().clear();
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    private static MappedRegions takeRegions(RequestFiles files) throws ProtocolViolationException {
        try {
            return files.take(MappedRegions.class);
        } catch (IOException refused) {
            throw new ProtocolViolationException("memory: " + refused.getMessage(), refused);
        }
    }

    /** Replaces the memory table. Started vrings continue in the new memory. */
    private void setMemory(MemoryTable next) {
        logInaccessible(next, session.memory().inaccessibleRegions());
        vrings.suspend();
        session.setMemory(next);
        vrings.resume();
    }

    /** Logs each inaccessible region only once, although a front-end sends unchanged regions again at each reboot. */
    private void logInaccessible(MemoryTable next, List<InaccessibleRegion> known) {
        for (InaccessibleRegion region : next.inaccessibleRegions()) {
            if (known.stream().noneMatch(region::isSameAs)) {
                log.warn(region + "; a request in it breaks its vring, other memory is served");
            }
        }
    }

    private void setLogBase(long size, long offset, RequestFiles files) throws ProtocolViolationException {
        if (offset % DirtyPageLog.ALIGNMENT != 0) {
            throw new ProtocolViolationException("dirty log at offset " + Long.toUnsignedString(offset)
                    + ", expected a multiple of " + DirtyPageLog.ALIGNMENT);
        }
        if (Long.compareUnsigned(size, MAX_LOG_BYTES) > 0) {
            throw new ProtocolViolationException(
                    "dirty log of " + Long.toUnsignedString(size) + " bytes, expected at most " + MAX_LOG_BYTES);
        }
        try {
            MemoryMapping mapping = files.take(MemoryMapping.class);
            // The memory must not be able to vanish: bits are set by atomic accesses, in which a SIGBUS ends the JVM.
            if (mapping.canVanish()) {
                mapping.close();
                throw new IOException("memory cannot be sealed against shrinking, or consists of huge pages");
            }
            session.dirtyLog().setBitmap(mapping.open());
        } catch (IOException refused) {
            throw new ProtocolViolationException("dirty log: " + refused.getMessage(), refused);
        }
    }

    private void applyIotlbMsg(FrontendRequest.IotlbMsg message) throws ProtocolViolationException {
        if (!session.isTranslated()) {
            throw new ProtocolViolationException("IOTLB message without VIRTIO_F_ACCESS_PLATFORM");
        }
        boolean guestAddresses = session.hasProtocolFeature(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES);
        session.iommu().apply(message, session.memory(), guestAddresses, vrings);
    }

    private void clearIotlbIfStopped() {
        if (vrings.areStopped()) {
            session.iommu().clear();
        }
    }

    private void setInflightFd(FrontendRequest.Inflight given, RequestFiles files) throws ProtocolViolationException {
        require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        if (!vrings.areStopped()) {
            throw new ProtocolViolationException("inflight buffer changed while a vring is started");
        }
        session.inflight().requireValid(given);
        try {
            session.inflight().set(given, files.take(MemoryMapping.class), options.sealedMemoryOnly());
        } catch (IOException refused) {
            throw new ProtocolViolationException("inflight buffer: " + refused.getMessage(), refused);
        }
    }

    // --- vrings ----------------------------------------------------------------------------------------------------

    private void setVringAddr(FrontendRequest.SetVringAddr addr) throws ProtocolViolationException {
        long loggedFlag = mask(VHOST_VRING_F_LOG);
        if ((addr.flags() & ~loggedFlag) != 0) {
            throw new ProtocolViolationException(
                    "vring flags " + Integer.toHexString(addr.flags()) + ", expected 0 or 1");
        }
        Vring vring = vrings.get(addr.index());
        vring.setAddresses(new VringAddresses(addr.descriptor(), addr.used(), addr.available()));
        if ((addr.flags() & loggedFlag) != 0) {
            vring.enableRingLogging(addr.log());
        } else {
            vring.disableRingLogging();
        }
    }

    private static void setKick(Vring vring, NotificationFd kick) throws ProtocolViolationException {
        try {
            vring.setKick(kick);
        } catch (ErrnoException refused) {
            throw new ProtocolViolationException("kick descriptor: " + refused.getMessage(), refused);
        }
    }

    private static NotificationFd takeNotificationFd(RequestFiles files) throws ProtocolViolationException {
        try {
            return files.take(NotificationFd.class);
        } catch (IOException refused) {
            throw new ProtocolViolationException(refused.getMessage(), refused);
        }
    }

    private static BackendRequestChannel takeChannel(RequestFiles files) throws ProtocolViolationException {
        try {
            return files.take(BackendRequestChannel.class);
        } catch (IOException refused) {
            throw new ProtocolViolationException("back-end channel: " + refused.getMessage(), refused);
        }
    }
}
